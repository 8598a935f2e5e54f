"""A study of attention over layers, the first test of a proposal.

    KERAS_BACKEND=jax python -m experiments.layer_attention [--quick]

Bird (2022) proposes to let a network read out any of its layers through
attention, says what should be seen, and left it untried. This trains a plain
convolutional network, a residual one and attended ones of every mechanism, at
several depths and one budget of parameters, on digits whose class and place
are both asked for, and answers each of the proposal's claims with a figure.
"""
