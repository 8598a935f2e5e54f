"""Cells and layers of sequences whose steps multiply input and state.

Cells are run by `keras.layers.RNN`; layers are used like `keras.layers.LSTM`.
"""
