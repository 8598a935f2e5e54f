import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from kmul import layers
from kmul import models

SHAPE = (6, 5, 2)


def images(count=3, shape=SHAPE):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, *shape)).astype("float32")


def small(cls, **kwargs):
    return cls(SHAPE, 4, depth=3, filters=3, hidden_units=7, **kwargs)


MODELS = {
    "cnn": lambda: small(models.CNN, strides=[1, 2, 1], activation="tanh"),
    "residual": lambda: small(models.ResidualCNN, initial_value=0.3),
    "attended": lambda: models.LayerAttendedCNN(
        SHAPE,
        4,
        depth=3,
        filters=[2, 3, 4],
        strides=[1, 2, 1],
        hidden_units=7,
        mechanism="self",
        transform_units=6,
        num_heads=2,
        key_dim=3,
    ),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_saving_and_cloning(name, tmp_path):
    model = MODELS[name]()
    expected = model.predict_on_batch(images())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for other in (loaded, copy):
        np.testing.assert_allclose(
            other.predict_on_batch(images()), expected, rtol=1e-6
        )


@pytest.mark.backends("torch")
def test_a_saved_model_is_the_same_on_other_backends(tmp_path, other_backends):
    for name, make in MODELS.items():
        model = make()
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", model.predict_on_batch(images()))
    np.save(tmp_path / "images.npy", images())
    program = """
import sys, keras, kmul, numpy as np
images = np.load(sys.argv[1] + "/images.npy")
for name in sys.argv[2:]:
    path = f"{sys.argv[1]}/{name}"
    found = keras.saving.load_model(path + ".keras").predict_on_batch(images)
    np.testing.assert_allclose(found, np.load(path + ".npy"), rtol=1e-5)
"""
    for backend in other_backends:
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), *MODELS],
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
        )


@pytest.mark.parametrize(
    "mechanism, transform_units",
    [("concat", None), ("static", 5), ("self", None), ("recurrent", 5)],
)
def test_training(mechanism, transform_units):
    model = small(
        models.LayerAttendedCNN,
        mechanism=mechanism,
        transform_units=transform_units,
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    labels = np.array([0, 1, 2])
    before = model.get_weights()
    model.fit(images(), labels, epochs=2, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.isfinite(new).all()
        assert not np.array_equal(old, new)


def copy_convolutions(source, target):
    for layer in source.layers:
        if layer.name.startswith("convolution") or layer.name == "classifier":
            target.get_layer(layer.name).set_weights(layer.get_weights())


@pytest.mark.parametrize("strides", [1, [1, 2, 1]])
def test_attention_on_the_last_layer_is_the_plain_network(strides):
    plain = small(models.CNN, strides=strides)
    attended = small(
        models.LayerAttendedCNN, mechanism="static", strides=strides
    )
    copy_convolutions(plain, attended)
    attention = attended.get_layer("layer_attention")
    kernel, bias = plain.get_layer("hidden").get_weights()
    attention.kernels[-1].assign(kernel)
    attention.bias.assign(bias)
    attention.logits.assign([-np.inf, -np.inf, 0])
    np.testing.assert_allclose(
        attended.predict_on_batch(images()),
        plain.predict_on_batch(images()),
        rtol=1e-6,
        atol=1e-7,
    )


def test_a_weighting_is_the_residual_network():
    beta = 0.3
    options = {"depth": 2, "filters": 3, "hidden_units": 7}
    residual = models.ResidualCNN(SHAPE, 4, initial_value=beta, **options)
    attended = models.LayerAttendedCNN(SHAPE, 4, mechanism="static", **options)
    copy_convolutions(residual, attended)
    attention = attended.get_layer("layer_attention")
    kernel, bias = residual.get_layer("hidden").get_weights()
    for each in attention.kernels:
        each.assign(kernel)
    attention.bias.assign(bias)
    attention.logits.assign(np.log([1 - beta, beta]))
    np.testing.assert_allclose(
        attended.predict_on_batch(images()),
        residual.predict_on_batch(images()),
        rtol=1e-5,
        atol=1e-6,
    )


def test_residual_network_of_beta_1_is_the_plain_network():
    plain = small(models.CNN)
    residual = small(models.ResidualCNN, initial_value=1)
    copy_convolutions(plain, residual)
    residual.get_layer("hidden").set_weights(
        plain.get_layer("hidden").get_weights()
    )
    np.testing.assert_array_equal(
        residual.predict_on_batch(images()), plain.predict_on_batch(images())
    )


def test_mixes_are_made_where_shapes_agree():
    model = models.ResidualCNN(
        SHAPE, 4, depth=5, filters=[2, 2, 4, 4, 4], strides=[1, 1, 1, 1, 2]
    )
    mixes = [
        layer.name
        for layer in model.layers
        if isinstance(layer, layers.ResidualMix)
    ]
    assert mixes == ["mix_1", "mix_2", "mix_4"]


def test_unknown_image_size():
    model = models.LayerAttendedCNN((None, None, 1), 4, pooling="avg")
    for size in (5, 8):
        found = model.predict_on_batch(images(3, (size, size + 1, 1)))
        assert found.shape == (3, 4)


@pytest.mark.parametrize("name", list(MODELS))
def test_mixed_precision(name):
    cls = type(MODELS[name]())
    model = small(cls, dtype="mixed_bfloat16")
    policies = {layer.dtype_policy.name for layer in model.layers[1:]}
    assert policies == {"mixed_bfloat16"}
    copy = cls.from_config(model.get_config())
    assert copy.dtype_policy.name == "mixed_bfloat16"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"image_shape": (6, 5)},
            r"Expected \(height, width, channels\). "
            r"Received: image_shape=\(6, 5\)",
        ),
        (
            {"image_shape": (None, 5, 1)},
            "Without `pooling` the size of the images should be known. "
            r"Received: image_shape=\(None, 5, 1\), pooling=None",
        ),
        ({"depth": 0}, "argument `depth`. Expected a positive integer."),
        (
            {"filters": [3, 3]},
            "Invalid value for argument `filters`. Expected a positive integer "
            r"or a list of 4 of them. Received: filters=\[3, 3\]",
        ),
        ({"strides": 1.5}, "argument `strides`. Expected a positive integer."),
        ({"classes": -1}, "argument `classes`. Expected a positive integer."),
        ({"pooling": "max"}, "argument `pooling`. Expected one of"),
        ({"image_shape": (6, 0, 1)}, "Received: image_shape=0"),
        ({"kernel_size": True}, "Received: kernel_size=True"),
        ({"hidden_units": 2.0}, "Received: hidden_units=2.0"),
        ({"trainable": "no"}, "True or False. Received: trainable='no'"),
    ],
)
@pytest.mark.parametrize(
    "cls", [models.CNN, models.ResidualCNN, models.LayerAttendedCNN]
)
def test_bad_arguments(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**{"image_shape": SHAPE, "classes": 4, **arguments})


@pytest.mark.parametrize(
    "cls", [models.CNN, models.ResidualCNN, models.LayerAttendedCNN]
)
def test_unknown_arguments_are_refused(cls):
    with pytest.raises(TypeError, match="'dept'"):
        cls(SHAPE, 4, dept=2)


def test_numpy_integers_are_integers():
    two = np.int64(2)
    model = models.LayerAttendedCNN(
        tuple(np.array(SHAPE)),
        two,
        depth=two,
        filters=list(np.array([2, 3])),
        strides=two,
        hidden_units=two,
        transform_units=two,
    )
    json.dumps(model.get_config())
    model = models.ProductOfPolynomials(two, np.array([2, 3]).tolist(), "ccp")
    json.dumps(model.get_config())


def test_bad_residual_arguments():
    with pytest.raises(ValueError, match="Received: initial_value=2"):
        models.ResidualCNN(SHAPE, 4, initial_value=2)
    with pytest.raises(ValueError, match="Received: per='filter'"):
        models.ResidualCNN(SHAPE, 4, per="filter")


def test_bad_mechanism():
    with pytest.raises(ValueError, match="argument `mechanism`"):
        models.LayerAttendedCNN(SHAPE, 4, mechanism="dynamic")
