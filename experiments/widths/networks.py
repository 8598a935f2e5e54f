"""`multiply` with other numbers of hidden units than its 256."""

from tuning.networks.vectors import Multiply


class Hidden128(Multiply):
    """As few as a dot product of 128 elements can be written with."""

    hidden_units = 128


class Hidden512(Multiply):
    """As many parameters on 64 elements as `multiply` on 128."""

    hidden_units = 512


class Hidden1024(Multiply):
    """As many parameters on 32 elements as `multiply` on 128."""

    hidden_units = 1024
