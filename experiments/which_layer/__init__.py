"""Which layer learns what, and what does it cost?

KERAS_BACKEND=jax python -m experiments.which_layer [--directory DIRECTORY]
"""
