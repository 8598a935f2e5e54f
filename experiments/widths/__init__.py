"""Do networks that multiply learn dot products and sums of long vectors?

KERAS_BACKEND=jax python -m experiments.widths
"""
