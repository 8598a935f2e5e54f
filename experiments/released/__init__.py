"""Do the article's published numbers come out of what its code did?

KERAS_BACKEND=jax python -m experiments.released
"""
