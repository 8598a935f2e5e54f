"""Which arithmetic unit learns an operation so exactly that it extrapolates?

KERAS_BACKEND=jax python -m experiments.neural_arithmetic [--quick]
"""
