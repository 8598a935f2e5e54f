"""Do products help a recurrent model of characters?

KERAS_BACKEND=jax python -m experiments.characters [--quick]
"""
