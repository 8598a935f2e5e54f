"""How many parameters does a perceptron need to multiply?

KERAS_BACKEND=jax python -m experiments.interaction_parameters [--quick]
"""
