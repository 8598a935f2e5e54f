"""Fusion of modalities by products: bilinear models in affordable forms.

Most project two inputs to one width, multiply them in some form, and map the
product to `units` by a linear layer. `TensorFusion` and `LowRankFusion` take
any number of inputs and multiply all of them.
"""
