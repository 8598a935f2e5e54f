"""Networks that are made of one layer, whichever it is."""

import ast
import enum
import inspect
import traceback
from typing import NamedTuple

import keras
from keras import ops

from kmul import layers
from tuning.messages import summarize
from tuning.networks.network import Network
from tuning.networks.network import side_by_side

FILTERS, KERNEL_SIZE, READ_OUT_UNITS = 8, 3, 32


class CalledOn(enum.StrEnum):
    """A layer's kind of inputs."""

    PAIR = "pair"  # [a, b]
    VECTOR = "vector"  # a and b side by side
    IMAGE = "image"
    MASKED_IMAGE = "masked image"  # [image, mask]


PAIR, VECTOR, IMAGE, MASKED_IMAGE = CalledOn


class Entry(NamedTuple):
    """A layer of `kmul.layers` as a network.

    Attributes:
        layer: The layer class.
        called_on: Its kind of inputs.
        keeps_width: Its forms that are made without `units`, as they keep the
            width of the input.
    """

    layer: type
    called_on: CalledOn
    keeps_width: tuple[str, ...] = ()


LAYERS = {
    "inalu": Entry(layers.INALU, VECTOR),
    "mnac": Entry(layers.MNAC, VECTOR),
    "nac": Entry(layers.NAC, VECTOR),
    "nalu": Entry(layers.NALU, VECTOR),
    "nau": Entry(layers.NAU, VECTOR),
    "nmu": Entry(layers.NMU, VECTOR),
    "npu": Entry(layers.NPU, VECTOR),
    "real_npu": Entry(layers.RealNPU, VECTOR),
    "depth_weighted_average": Entry(layers.DepthWeightedAverage, PAIR),
    "layer_attention": Entry(layers.LayerAttention, PAIR),
    "residual_mix": Entry(layers.ResidualMix, PAIR),
    "scalar_mix": Entry(layers.ScalarMix, PAIR),
    "block_fusion": Entry(layers.BLOCKFusion, PAIR),
    "block_tucker_fusion": Entry(layers.BLOCKTuckerFusion, PAIR),
    "low_rank_fusion": Entry(layers.LowRankFusion, PAIR),
    "mcb_fusion": Entry(layers.MCBFusion, PAIR),
    "mfb_fusion": Entry(layers.MFBFusion, PAIR),
    "mfh_fusion": Entry(layers.MFHFusion, PAIR),
    "mlb_fusion": Entry(layers.MLBFusion, PAIR),
    "mutan_fusion": Entry(layers.MUTANFusion, PAIR),
    "tensor_fusion": Entry(layers.TensorFusion, PAIR),
    "tucker_fusion": Entry(layers.TuckerFusion, PAIR),
    "film": Entry(layers.FiLM, PAIR),
    "gated_dense": Entry(layers.GatedDense, VECTOR),
    "highway_dense": Entry(layers.HighwayDense, VECTOR),
    "squeeze_excite": Entry(layers.SqueezeExcite, VECTOR),
    "hyper_dense": Entry(layers.HyperDense, PAIR),
    "multiplicative_interaction": Entry(
        layers.MultiplicativeInteraction, PAIR, ("diagonal", "scalar")
    ),
    "binary_masked_dense": Entry(layers.BinaryMaskedDense, VECTOR),
    "gated_conv_2d": Entry(layers.GatedConv2D, IMAGE),
    "partial_conv_2d": Entry(layers.PartialConv2D, MASKED_IMAGE),
    "polynomial_block_2d": Entry(layers.PolynomialBlock2D, IMAGE),
    "polynomial_dense": Entry(layers.PolynomialDense, VECTOR),
    "multiplicative_filter": Entry(layers.MultiplicativeFilter, VECTOR),
    "multiply_unit": Entry(layers.MultiplyUnit, PAIR),
    "residual_dense": Entry(layers.ResidualDense, VECTOR),
    "additive_block_2d": Entry(layers.AdditiveBlock2D, IMAGE),
    "additive_token_mixer_2d": Entry(layers.AdditiveTokenMixer2D, IMAGE),
    "channel_gate_2d": Entry(layers.ChannelGate2D, IMAGE),
    "hybrid_perception_block_2d": Entry(layers.HybridPerceptionBlock2D, IMAGE),
    "spatial_gate_2d": Entry(layers.SpatialGate2D, IMAGE),
    "focal_modulation_2d": Entry(layers.FocalModulation2D, IMAGE),
    "gated_recursive_conv_2d": Entry(layers.GatedRecursiveConv2D, IMAGE),
    "large_kernel_attention_2d": Entry(layers.LargeKernelAttention2D, IMAGE),
    "multi_order_gated_aggregation_2d": Entry(
        layers.MultiOrderGatedAggregation2D, IMAGE
    ),
    "spatial_gating_unit": Entry(layers.SpatialGatingUnit, IMAGE),
    "star_block_2d": Entry(layers.StarBlock2D, IMAGE),
    "stochastic_depth": Entry(layers.StochasticDepth, VECTOR),
    "strip_self_attention_2d": Entry(layers.StripSelfAttention2D, IMAGE),
}


def network_of_layer(layer, arguments=""):
    """Returns the network of one layer, for vectors or for images.

    What it is called on is written in `LAYERS`. A layer of your own says it by
    a class attribute, `called_on = "pair"` for example, one of the values of
    `CalledOn`. Without that, a layer that is made with `filters` is called on
    an image, any other on `[a, b]`; one of Keras on both vectors side by side.

    Args:
        layer: A Keras layer class.
        arguments: Text of arguments that it is made with beside those that the
            network sets, `"form=low_rank,rank=8"` for example.

    Raises:
        ValueError: The layer does not take the arguments.
    """
    kwargs = _parse(arguments)
    entry = _entry(layer)
    on_images = entry.called_on in (IMAGE, MASKED_IMAGE)
    network = type(
        layer.__name__,
        (LayerOnImages if on_images else LayerOnVectors,),
        {
            "__doc__": layer.__doc__,
            "layer": layer,
            "kwargs": kwargs,
            "called_on": entry.called_on,
            "keeps_width": kwargs.get("form") in entry.keeps_width,
        },
    )
    network.check()
    return network


def _entry(layer):
    for entry in LAYERS.values():
        if entry.layer is layer:
            return entry
    if hasattr(layer, "called_on"):
        try:
            return Entry(layer, CalledOn(layer.called_on))
        except ValueError as error:
            raise ValueError(
                f"Invalid value for attribute `called_on` of {layer.__name__}. "
                f"Expected one of {', '.join(CalledOn)}. Received: "
                f"{layer.called_on!r}"
            ) from error
    if "filters" in inspect.signature(layer).parameters:
        return Entry(layer, IMAGE)
    return Entry(layer, VECTOR if _is_of(layer, "keras") else PAIR)


def _is_of(layer, package):
    return layer.__module__.partition(".")[0] == package


# Words that stand for a value, in any case. All others are strings.
_WORDS = {"true": True, "false": False, "none": None}


def _parse(arguments):
    """Returns the arguments of `name=value, ...`."""
    try:
        call = ast.parse(f"layer({arguments})", mode="eval").body
        if call.args or any(each.arg is None for each in call.keywords):
            raise ValueError("not all of them are named")
        return {each.arg: _value(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ValueError(
            "Its arguments should be like 'form=low_rank,rank=8'. Received: "
            f"{arguments!r} ({error})"
        ) from error


def _value(node):
    if isinstance(node, ast.Name):
        return _WORDS.get(node.id.lower(), node.id)
    return ast.literal_eval(node)


class LayerNetwork(Network):
    """The base of networks made of one layer.

    Attributes:
        layer: The layer class.
        kwargs: Dictionary of arguments that were asked for.
        called_on: The `CalledOn` of the layer.
        keeps_width: Whether it is made without `units`.
    """

    layer = None
    kwargs = None
    called_on = None
    keeps_width = False

    @classmethod
    def make(cls, **defaults):
        """Returns a layer, with those of the defaults that it takes."""
        accepted = inspect.signature(cls.layer).parameters
        known = {
            name: value for name, value in defaults.items() if name in accepted
        }
        return cls.layer(**{**known, **cls.kwargs})

    @classmethod
    def check(cls):
        """Raises a `ValueError` unless the layer takes the arguments."""
        layer = cls.layer
        try:
            if _is_of(layer, "kmul") or _is_of(layer, "keras"):
                cls.make(units=1, filters=1, kernel_size=1)
            else:
                inspect.signature(layer).bind_partial(**cls.kwargs)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{cls.layer.__name__}: {error}") from error

    @classmethod
    def check_for(cls, problem):
        """Raises a `ValueError` unless the layer can be made for a problem."""
        try:
            cls.make_for(problem.units)
        except Exception as error:
            reason = summarize(traceback.format_exc())
            raise ValueError(
                f"{cls.layer.__name__} cannot be made: {reason}"
            ) from error


class LayerOnVectors(LayerNetwork):
    """One layer on both inputs.

    The layer is called on `[a, b]`, or on both side by side. It has as many
    `units` as the label, if it takes `units`. Where its output is not as wide
    as the label, a linear dense layer follows. At depth 2, each input first
    goes through a linear dense layer, twice as wide as the label.
    """

    depths = (1, 2)
    activations = ("linear",)

    def outputs(self, a, b, depth, activation):
        if depth == 2:
            first = keras.layers.Dense(2 * self.units)(a)
            b = first if a is b else keras.layers.Dense(2 * self.units)(b)
            a = first
        layer = self.make_for(self.units)
        y = layer([a, b] if self.called_on is PAIR else side_by_side(a, b))
        if y.shape[-1] != self.units:
            y = keras.layers.Dense(self.units)(y)
        return y

    @classmethod
    def make_for(cls, units):
        return cls.make(units=None if cls.keeps_width else units)


class LayerOnImages(LayerNetwork):
    """`depth` layers after each other on an image, and a classifier.

    Each has 8 filters, the first a stride of 2. Before a layer that takes no
    `filters`, but keeps the shape of its input, a convolution of 1×1, the first
    of 2×2 with a stride of 2, makes 8 channels. A layer that takes images and
    masks is called with a mask of ones. What the last one gives goes through a
    dense layer of 32 units and a linear one with softmax.
    """

    depths = (2, 3, 4, 5, 6, 7, 8)
    activations = ("linear", "relu", "selu", "tanh")
    input_rank = 3

    def model(self, depth, activation):
        (image_shape,) = self.input_shapes
        image = x = keras.Input(image_shape, name="image")
        for index in range(depth):
            x = self._apply(x, 2 if index == 0 else 1, activation)
        x = keras.layers.Flatten()(x)
        x = keras.layers.Dense(READ_OUT_UNITS, activation=activation)(x)
        x = keras.layers.Dense(self.units, activation="softmax")(x)
        return keras.Model(image, x)

    def _apply(self, x, strides, activation):
        if not self._has_filters():
            x = keras.layers.Conv2D(
                FILTERS, strides, strides=strides, activation=activation
            )(x)
        layer = self.make_for(self.units, strides, activation)
        if self.called_on is MASKED_IMAGE:
            return layer([x, ops.ones_like(x[..., :1])])
        return layer(x)

    @classmethod
    def _has_filters(cls):
        return "filters" in inspect.signature(cls.layer).parameters

    @classmethod
    def make_for(cls, units, strides=1, activation="linear"):
        if not cls._has_filters():
            return cls.make()
        return cls.make(
            filters=FILTERS,
            kernel_size=KERNEL_SIZE,
            strides=strides,
            padding="same",
            activation=activation,
        )
