"""Which layer should fuse a picture with a name?

KERAS_BACKEND=jax python -m experiments.fusion [--quick]
"""
