"""What do the strongest rivals of multiplication learn, if they are given time?

KERAS_BACKEND=jax python -m experiments.thorough
"""
