"""How many parameters a perceptron needs to multiply.

    KERAS_BACKEND=jax python -m experiments.interaction_parameters [--quick]

The first experiment of "Multiplicative Interactions and Where to Find Them"
(Jayakumar et al., 2020): the parameters of a network with one hidden layer of
rectified linear units, and of one multiplicative interaction, that it takes to
fit the dot product and the sum of two vectors, as these grow.
"""
