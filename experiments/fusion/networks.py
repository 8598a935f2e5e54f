"""The same encoders of a picture and of a name, fused in many ways."""

import keras

from kmul import layers
from tasks import named_letters

# Width of the vectors that the encoders make.
ENCODED = 32
# Width of what is fused, unless a layer keeps the width of its input.
FUSED = 32
PATCH = 4
FILTERS = 24


def _then_dense(fusion):
    """A fusion that has no width of its own, and a layer that has."""

    def make(width):
        dense = keras.layers.Dense(width, activation="relu")
        return lambda pair: dense(fusion()(pair))

    return make


# Each makes a layer of a pair of vectors from a width.
FUSIONS = {
    "concatenation": _then_dense(keras.layers.Concatenate),
    "sum": _then_dense(keras.layers.Add),
    "FiLM": _then_dense(layers.FiLM),
    "MultiplyUnit": lambda w: layers.MultiplyUnit(FUSED, hidden_units=w),
    "MLBFusion": lambda w: layers.MLBFusion(FUSED, hidden_units=w),
    "MUTANFusion": lambda w: layers.MUTANFusion(FUSED, hidden_units=w),
    "MFBFusion": lambda w: layers.MFBFusion(FUSED, hidden_units=w),
    "MFHFusion": lambda w: layers.MFHFusion(FUSED, hidden_units=w),
    "MCBFusion": lambda w: layers.MCBFusion(FUSED, hidden_units=w, seed=0),
    "TuckerFusion": lambda w: layers.TuckerFusion(FUSED, hidden_units=w),
    "BLOCKFusion": lambda w: layers.BLOCKFusion(
        FUSED, hidden_units=w, chunks=4
    ),
    "BLOCKTuckerFusion": lambda w: layers.BLOCKTuckerFusion(
        FUSED, hidden_units=w, chunks=4
    ),
    "TensorFusion": lambda w: layers.TensorFusion(w),
    "LowRankFusion": lambda w: layers.LowRankFusion(FUSED, rank=w),
    "interaction, full": lambda w: layers.MultiplicativeInteraction(w),
    "interaction, low rank": lambda w: layers.MultiplicativeInteraction(
        FUSED, form="low_rank", rank=w
    ),
    "interaction, diagonal": _then_dense(
        lambda: layers.MultiplicativeInteraction(form="diagonal")
    ),
    "interaction, scalar": _then_dense(
        lambda: layers.MultiplicativeInteraction(form="scalar")
    ),
    "HyperDense": lambda w: layers.HyperDense(w),
}
# Such that each fusion, with the layers behind it, has 9,500 parameters, ± 5 %.
EQUAL_PARAMETERS = {
    "concatenation": 97,
    "sum": 145,
    "FiLM": 113,
    "MultiplyUnit": 86,
    "MLBFusion": 86,
    "MUTANFusion": 24,
    "MFBFusion": 23,
    "MFHFusion": 12,
    "MCBFusion": 258,
    "TuckerFusion": 19,
    "BLOCKFusion": 40,
    "BLOCKTuckerFusion": 40,
    "TensorFusion": 8,
    "LowRankFusion": 4,
    "interaction, full": 8,
    "interaction, low rank": 66,
    "interaction, diagonal": 113,
    "interaction, scalar": 144,
    "HyperDense": 8,
}
# What is fused is of one width, and so is the product within a layer. The rank
# of LowRankFusion is no width: it stays as it is by default.
EQUAL_WIDTH = {**dict.fromkeys(FUSIONS, FUSED), "LowRankFusion": 4}
WIDTHS = {"parameters": EQUAL_PARAMETERS, "width": EQUAL_WIDTH}
# What tells nothing, and what has no weights.
BASELINES = ("picture alone", "name alone", "cosine similarity")


def build(name, equal="parameters"):
    """Returns a model from pictures and names to a logit of their match.

    Args:
        name: Key of `FUSIONS`, or one of `BASELINES`.
        equal: `"parameters"` or `"width"`, what all fusions have in common.
    """
    picture = keras.Input((24, 24, 1), name="picture")
    words = keras.Input((None,), dtype="int32", name="words")
    pair = [encode_picture(picture), encode_name(words)]
    dense = keras.layers.Dense(FUSED, activation="relu")
    if name == "cosine similarity":
        hidden = keras.layers.Dot(axes=1, normalize=True)(pair)
    elif name in BASELINES:
        hidden = dense(pair[BASELINES.index(name)])
    else:
        fused = FUSIONS[name](WIDTHS[equal][name])(pair)
        hidden = dense(keras.layers.Activation("relu")(fused))
    return keras.Model([picture, words], keras.layers.Dense(1)(hidden))


def encode_picture(picture):
    """A convolution of patches side by side, and a linear layer."""
    side = picture.shape[1] // PATCH
    patches = keras.layers.Reshape((side, PATCH, side, PATCH))(picture)
    patches = keras.layers.Permute((1, 3, 2, 4))(patches)
    patches = keras.layers.Reshape((side**2, PATCH**2))(patches)
    hidden = keras.layers.Dense(FILTERS, activation="relu")(patches)
    return keras.layers.Dense(ENCODED)(keras.layers.Flatten()(hidden))


def encode_name(words):
    """The mean of the words' embeddings, and a linear layer."""
    embedded = keras.layers.Embedding(
        len(named_letters.vocabulary()),
        ENCODED,
        keras.initializers.RandomNormal(stddev=1.0),
        mask_zero=True,
    )(words)
    mean = keras.layers.GlobalAveragePooling1D()(embedded)
    return keras.layers.Dense(ENCODED)(mean)


def count_encoders():
    """Returns the number of the encoders' weights."""
    picture = keras.Input((24, 24, 1))
    words = keras.Input((None,), dtype="int32")
    pair = [encode_picture(picture), encode_name(words)]
    return keras.Model([picture, words], pair).count_params()
