"""Functions of an input and its contexts that are linear in each of them.

A context can be seen as generating the weights of a dense layer.
"""
