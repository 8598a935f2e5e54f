import keras
import numpy as np
import pytest
from support.closeness import assert_close
from support.closeness import to_numpy
from support.layer_checks import random_inputs

from kmul.layers import LayerAttention

SHAPES = [(4, 3, 2), (4, 6), (4, 1, 2, 3)]
MECHANISMS = ("concat", "static", "self", "recurrent")


def built(mechanism, shapes=SHAPES, **kwargs):
    """A layer none of whose weights is at a special value."""
    layer = LayerAttention(5, mechanism, key_dim=3, **kwargs)
    layer.build(shapes)
    rng = np.random.default_rng(1)
    layer.set_weights(
        [rng.normal(size=w.shape).astype("float32") for w in layer.weights]
    )
    return layer


def softmax(x):
    exponent = np.exp(x - x.max(-1, keepdims=True))
    return exponent / exponent.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def flat(inputs):
    return [x.reshape(len(x), -1) for x in inputs]


def contraction(layer, vectors):
    kernel = np.concatenate([to_numpy(k) for k in layer.kernels])
    return np.concatenate(vectors, axis=-1) @ kernel + to_numpy(layer.bias)


def self_weights(layer, vectors):
    """(batch, heads, layers), written as loops."""
    batch, heads, size = len(vectors[0]), layer.num_heads, layer.key_dim
    weights = np.zeros((batch, heads, len(vectors)))
    for b in range(batch):
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            queries = [
                x[b] @ to_numpy(layer.query_kernel) + to_numpy(layer.query_bias)
                for x in vectors
            ]
            keys = [
                x[b] @ to_numpy(layer.key_kernel) + embedding
                for x, embedding in zip(
                    vectors, to_numpy(layer.layer_embedding), strict=True
                )
            ]
            for query in queries:
                scores = [query[part] @ key[part] / size**0.5 for key in keys]
                weights[b, head] += softmax(np.array(scores)) / len(vectors)
    return weights


def lstm_state(layer, vectors):
    kernel, recurrent, bias = (to_numpy(w) for w in layer.lstm.weights)
    h = c = np.zeros((len(vectors[0]), layer.units))
    for x in vectors:
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def test_concat_is_concatenation_then_dense():
    layer, inputs = built("concat"), random_inputs(SHAPES)
    assert_close(
        layer(inputs),
        contraction(layer, flat(inputs)),
    )


def test_static():
    layer, inputs = built("static"), random_inputs(SHAPES)
    weights = softmax(to_numpy(layer.logits))
    outputs, scores = layer(inputs, return_attention_scores=True)
    vectors = [a * x for a, x in zip(weights, flat(inputs), strict=True)]
    assert_close(
        outputs,
        contraction(layer, vectors),
    )
    assert_close(scores, np.tile(weights, (4, 1)))


@pytest.mark.parametrize("heads", [1, 3])
def test_self(heads):
    layer = built("self", num_heads=heads)
    inputs = random_inputs(SHAPES)
    weights = self_weights(layer, flat(inputs))
    outputs, scores = layer(inputs, return_attention_scores=True)
    vectors = [
        (x.reshape(4, heads, -1) * weights[:, :, index, None]).reshape(4, -1)
        for index, x in enumerate(flat(inputs))
    ]
    assert_close(
        outputs,
        contraction(layer, vectors),
    )
    assert_close(scores, weights.mean(1))


def test_recurrent():
    layer, inputs = built("recurrent"), random_inputs(SHAPES)
    state = lstm_state(layer, flat(inputs))
    assert_close(
        layer(inputs),
        contraction(layer, [state]),
    )


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_transform_and_activation(mechanism):
    shapes = [(4, 3, 2), (4, 5)]
    layer = built(
        mechanism,
        shapes,
        transform_units=4,
        transform_activation="tanh",
        activation="relu",
    )
    inputs = random_inputs(shapes)
    vectors = [
        np.tanh(x @ to_numpy(t.kernel) + to_numpy(t.bias))
        for x, t in zip(flat(inputs), layer.transforms, strict=True)
    ]
    plain = LayerAttention(5, mechanism, key_dim=3)
    plain.build([(4, 4), (4, 4)])
    plain.set_weights(
        [to_numpy(w) for w in layer.weights if "transform" not in w.path]
    )
    expected = np.maximum(to_numpy(plain(vectors)), 0)
    assert_close(layer(inputs), expected)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("transform_units", [None, 4])
def test_scores_and_contributions_sum_to_one(mechanism, transform_units):
    layer = built(mechanism, transform_units=transform_units)
    inputs = random_inputs(SHAPES)
    outputs, scores = layer(inputs, return_attention_scores=True)
    assert_close(outputs, layer(inputs))
    for shares in (scores, layer.contributions(inputs)):
        shares = to_numpy(shares)
        assert shares.shape == (4, 3)
        assert (shares >= 0).all()
        assert_close(shares.sum(-1), 1)
    if mechanism in ("concat", "recurrent"):
        assert_close(scores, layer.contributions(inputs))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_contributions_leave_one_layer_out(mechanism):
    layer, inputs = built(mechanism), random_inputs(SHAPES)
    outputs = to_numpy(layer(inputs))
    kernels = [to_numpy(kernel) for kernel in layer.kernels]
    lengths = []
    for index in range(len(inputs)):
        if mechanism == "recurrent":
            left_out = list(inputs)
            left_out[index] = np.zeros_like(left_out[index])
            without = layer(left_out)
        else:
            # Zeros in place of its kernel do what zeros in its place would,
            # and leave the attention weights alone.
            layer.kernels[index].assign(np.zeros_like(kernels[index]))
            without = layer(inputs)
            layer.kernels[index].assign(kernels[index])
        change = outputs - to_numpy(without)
        lengths.append(np.linalg.norm(change, axis=-1))
    lengths = np.stack(lengths, axis=-1)
    assert_close(
        layer.contributions(inputs),
        lengths / lengths.sum(-1, keepdims=True),
    )


def test_contributions_of_nothing_are_equal():
    layer = built("concat")
    zeros = [np.zeros(shape, "float32") for shape in SHAPES]
    assert_close(layer.contributions(zeros), 1 / 3)


def test_static_weights_are_equal_at_the_start():
    layer = LayerAttention(5, "static")
    _, scores = layer(random_inputs(SHAPES), return_attention_scores=True)
    assert_close(scores, 1 / 3)


def test_fixed_on_the_last_layer_it_is_a_dense_layer():
    layer, inputs = built("static"), random_inputs(SHAPES)
    layer.logits.assign([-np.inf, -np.inf, 0.0])
    dense = keras.layers.Dense(5)
    dense.build((4, 6))
    dense.set_weights([to_numpy(layer.kernels[-1]), to_numpy(layer.bias)])
    np.testing.assert_array_equal(
        to_numpy(layer(inputs)), to_numpy(dense(inputs[-1].reshape(4, 6)))
    )


def test_kernels_start_as_rows_of_the_whole():
    make = keras.initializers.GlorotUniform(seed=3)
    layer = LayerAttention(5, "concat", kernel_initializer=make)
    layer.build(SHAPES)
    rows = np.concatenate([to_numpy(k) for k in layer.kernels])
    limit = (6 / (18 + 5)) ** 0.5
    assert abs(rows).max() <= limit
    assert abs(rows).max() > 0.8 * limit
    assert len(np.unique(rows)) == rows.size


def test_no_two_kernels_start_equal():
    make = keras.initializers.GlorotUniform(seed=3)
    layer = LayerAttention(
        6, "self", transform_units=6, key_dim=6, kernel_initializer=make
    )
    layer.build([(4, 6), (4, 6)])
    kernels = [w for w in layer.weights if "kernel" in w.path]
    assert len(kernels) == 6
    assert len({to_numpy(k).tobytes() for k in kernels}) == 6


def test_constraints_hold_for_every_kernel_and_bias():
    layer = LayerAttention(
        5,
        "self",
        transform_units=4,
        kernel_constraint="non_neg",
        bias_constraint="max_norm",
    )
    layer = LayerAttention.from_config(layer.get_config())
    layer.build(SHAPES)
    found = {
        type(weight.constraint).__name__
        for weight in layer.weights
        if "kernel" in weight.path
    }
    assert found == {"NonNeg"}
    found = {
        type(weight.constraint).__name__
        for weight in layer.weights
        if "bias" in weight.path
    }
    assert found == {"MaxNorm"}


@pytest.mark.parametrize(
    "mechanism, transform_units, expected",
    [
        ("concat", None, 18 * 5 + 5),
        ("static", None, 3 + 18 * 5 + 5),
        ("self", None, 2 * 6 * 3 + 3 + 3 * 3 + 18 * 5 + 5),
        ("recurrent", None, 4 * 5 * (6 + 5 + 1) + 5 * 5 + 5),
        ("concat", 4, 3 * (6 * 4 + 4) + 12 * 5 + 5),
        ("recurrent", 4, 3 * (6 * 4 + 4) + 4 * 5 * (4 + 5 + 1) + 5 * 5 + 5),
    ],
)
def test_number_of_weights(mechanism, transform_units, expected):
    layer = built(mechanism, transform_units=transform_units)
    assert layer.count_params() == expected


def test_masked_positions_count_as_zeros():
    layer, inputs = built("concat"), random_inputs(SHAPES)
    kept = np.array([[1, 1, 0]] * 4, "bool")
    masked = [inputs[0] * kept[..., None], *inputs[1:]]
    inputs[0][:, 2] = np.nan
    assert_close(layer(inputs, mask=[kept, None, None]), layer(masked))


def test_masked_positions_are_left_out_of_the_average():
    shapes = [(2, 4, 3, 5), (2, 5)]
    layer = built("concat", shapes, pooling="avg")
    inputs = random_inputs(shapes)
    kept = np.array([[1, 0, 1, 0], [0, 0, 0, 0]], "bool")
    pooled = np.stack([inputs[0][0, [0, 2]].mean((0, 1)), np.zeros(5)])
    assert_close(
        layer(inputs, mask=[kept, None]),
        contraction(layer, [pooled, inputs[1]]),
    )


def test_masks_come_from_the_layers_before():
    steps = keras.Input((3, 2))
    masked = keras.layers.Masking()(steps)
    outputs = LayerAttention(5, "static")(
        [masked, keras.layers.Flatten()(steps)]
    )
    assert getattr(outputs, "_keras_mask", None) is None
    model = keras.Model(steps, outputs)
    x = random_inputs((4, 3, 2))
    x[:, 1] = 0
    assert np.isfinite(model.predict_on_batch(x)).all()


def test_unknown_sizes():
    images = keras.Input((None, None, 3))
    vectors = keras.Input((7,))
    layer = LayerAttention(5, "static", pooling="avg")
    outputs, scores = layer([images, vectors], return_attention_scores=True)
    assert outputs.shape == (None, 5)
    assert scores.shape == (None, 2)
    model = keras.Model([images, vectors], [outputs, scores])
    for size in (2, 3):
        x = random_inputs([(size, size, 4, 3), (size, 7)])
        found, weights = model.predict_on_batch(x)
        assert found.shape == (size, 5)
        assert_close(weights, 0.5)


def test_one_layer():
    inputs = keras.Input((3, 2))
    outputs = LayerAttention(5, "self")([inputs])
    model = keras.Model(inputs, outputs)
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = random_inputs((4, 3, 2))
    assert_close(copy.predict_on_batch(x), model.predict_on_batch(x))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"units": -3},
            "Invalid value for argument `units`. Expected a positive integer. "
            "Received: units=-3",
        ),
        (
            {"mechanism": "dynamic"},
            "Invalid value for argument `mechanism`. Expected one of "
            r"\('concat', 'static', 'self', 'recurrent'\). "
            "Received: mechanism='dynamic'",
        ),
        (
            {"transform_units": 0},
            "Invalid value for argument `transform_units`. Expected a positive "
            "integer. Received: transform_units=0",
        ),
        (
            {"num_heads": 1.5},
            "Invalid value for argument `num_heads`. Expected a positive "
            "integer. Received: num_heads=1.5",
        ),
        (
            {"key_dim": True},
            "Invalid value for argument `key_dim`. Expected a positive "
            "integer. Received: key_dim=True",
        ),
        (
            {"pooling": "max"},
            "Invalid value for argument `pooling`. Expected one of "
            r"\(None, 'avg'\). Received: pooling='max'",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        LayerAttention(**{"units": 5, **arguments})


@pytest.mark.parametrize(
    "arguments, shapes, message",
    [
        (
            {},
            (None, 4),
            "should be called on a list or tuple of tensors, one for each "
            r"layer. Received: input_shape=\(None, 4\)",
        ),
        ({}, [], r"should be called on a list .* input_shape=\[\]"),
        (
            {},
            [(2, 4), (2,)],
            "should be called on tensors of rank 2 or more, "
            r"\(batch, ..., features\). Received: "
            r"input_shape=\[\(2, 4\), \(2,\)\]",
        ),
        (
            {},
            [(None, None, None, 3), (None, 4)],
            "All axes but the first of the inputs of `LayerAttention` should "
            'be defined, or with `pooling="avg"` the last one. Received: '
            r"input_shape=\[\(None, None, None, 3\), \(None, 4\)\], "
            "pooling=None",
        ),
        (
            {"pooling": "avg"},
            [(None, 3, None)],
            r"input_shape=\[\(None, 3, None\)\], pooling='avg'",
        ),
        (
            {},
            [(2, 4), (3, 4)],
            "All inputs of `LayerAttention` should have the same batch size. "
            r"Received: input_shape=\[\(2, 4\), \(3, 4\)\]",
        ),
        (
            {"mechanism": "self"},
            [(2, 4), (2, 3, 2)],
            'with mechanism="self" needs vectors of one width: set '
            r"`transform_units`. Received: input_shape=\[\(2, 4\), "
            r"\(2, 3, 2\)\], of widths \[4, 6\]",
        ),
        (
            {"mechanism": "recurrent"},
            [(2, 4), (2, 5)],
            'with mechanism="recurrent" needs vectors of one width',
        ),
        (
            {"mechanism": "self", "num_heads": 3},
            [(2, 4), (2, 4)],
            "Argument `num_heads` of `LayerAttention` should divide the width "
            "of the vectors. Received: num_heads=3, width=4",
        ),
    ],
)
def test_bad_shapes(arguments, shapes, message):
    layer = LayerAttention(5, **arguments)
    with pytest.raises(ValueError, match=message):
        layer.build(shapes)
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shapes)


def test_an_empty_list_and_a_single_tensor_in_a_call():
    message = "should be called on a list or tuple of tensors"
    with pytest.raises(ValueError, match=message):
        LayerAttention(5)(random_inputs((4, 3)))
    with pytest.raises(ValueError, match=message):
        LayerAttention(5)(keras.Input((3,)))
    with pytest.raises(ValueError, match=message):
        LayerAttention(5)([])
