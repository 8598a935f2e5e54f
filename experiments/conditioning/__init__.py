"""How should one network of many tasks be told which one is meant?

KERAS_BACKEND=jax python -m experiments.conditioning [--quick]
"""
