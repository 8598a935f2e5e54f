"""Which of the article's networks learn which of its tasks?

KERAS_BACKEND=jax python -m experiments.whole_grid [--directory DIRECTORY]
"""
