"""What the strongest rivals of element-wise multiplication learn of XOR.

KERAS_BACKEND=jax python -m experiments.thorough
"""
