"""Attention over the layers of a network, and weighted sums of their outputs.

All are called on the outputs of several layers.
"""
