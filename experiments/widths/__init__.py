"""Why does `multiply` fail on the dot product of long vectors?

KERAS_BACKEND=jax python -m experiments.widths
"""
