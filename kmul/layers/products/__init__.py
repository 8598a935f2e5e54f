"""Products of linear projections of the inputs, and a residual dense layer.

Every input goes through a projection of its own before they are multiplied.
Coordinates go through sines, and these are multiplied.
"""
