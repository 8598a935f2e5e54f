"""Which layer learns what, and what does it cost?

python -m experiments.which_layer
"""
