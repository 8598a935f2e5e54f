"""Does attention over layers do what its proposal says?

KERAS_BACKEND=jax python -m experiments.layer_attention [--quick]
"""
