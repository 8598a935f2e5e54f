import keras
import numpy as np
import pytest
import torch
from keras import ops
from support.gradients import call
from support.gradients import double_precision

from kmul import models

from . import torch_cas_vit

SMALL = {"depths": [1, 2, 1, 1], "widths": [4, 6, 4, 6], "classes": 5}
HEADS = ("classifier", "distillation", "stages")
# Beside the test of outputs, what Keras and the layers do is the same anywhere.
once = pytest.mark.backends("torch")


def images(*size, dtype="float32"):
    rng = np.random.default_rng(1)
    return rng.normal(size=(2, *size, 3)).astype(dtype)


def state_dict(head, dtype=torch.float32):
    twin = torch_cas_vit.make(**SMALL, head=head, dtype=dtype)
    arrays = {name: each.numpy() for name, each in twin.state_dict().items()}
    return twin, arrays


def check_parity(head, dtype, tolerance):
    twin, arrays = state_dict(head, getattr(torch, dtype))
    model = models.CASViT.from_torch_state_dict(
        arrays, head=head, dtype=dtype, **SMALL
    )
    x = images(37, 30, dtype=dtype)
    with torch.no_grad():
        expected = twin(torch.from_numpy(x.transpose(0, 3, 1, 2)))
    found = call(model, x)
    if head == "stages":
        expected = [each.permute(0, 2, 3, 1) for each in expected]
        shapes = [tuple(each.shape) for each in expected]
        assert model.compute_output_shape(x.shape) == shapes
    else:
        expected, found = [expected], [found]
    for ours, theirs in zip(found, expected, strict=True):
        theirs = theirs.numpy()
        np.testing.assert_allclose(
            ops.convert_to_numpy(ours),
            theirs,
            rtol=tolerance,
            atol=tolerance * np.abs(theirs).max(),
        )


def test_outputs_are_those_of_torch():
    check_parity("distillation", "float32", 1e-5)


@once
@pytest.mark.parametrize("head", HEADS)
def test_outputs_are_those_of_torch_in_double_precision(head):
    with double_precision():
        check_parity(head, "float64", 1e-10)


def multiply_adds(model, shape):
    """Counts those of all kernels: each is used at every position."""
    total = 0
    for stage in model.stages():
        for layer in stage:
            shape = layer.compute_output_shape(shape)
            for variable in layer.trainable_variables:
                if len(variable.shape) > 1:
                    per_image = "channel_gate" in variable.path
                    positions = 1 if per_image else shape[1] * shape[2]
                    total += positions * np.prod(variable.shape)
    return total + np.prod(model.classifier.kernel.shape)


@once
@pytest.mark.parametrize(
    "variant, distilled, plain, operations",
    [
        ("xs", 3_200_700, 2_979_700, 0.547e9),
        ("s", 5_764_224, 5_507_224, 0.912e9),
        ("m", 12_421_520, 12_036_520, 1.859e9),
        ("t", 21_763_120, 21_250_120, 3.557e9),
    ],
)
def test_published_sizes(variant, distilled, plain, operations):
    shape = (None, 224, 224, 3)
    model = models.CASViT(variant, head="distillation")
    model.build(shape)
    count = sum(np.prod(each.shape) for each in model.trainable_variables)
    second = sum(np.prod(each.shape) for each in model.distilled.weights)
    assert (count, count - second) == (distilled, plain)
    np.testing.assert_allclose(
        multiply_adds(model, shape), operations, rtol=0.01
    )


@once
def test_files_with_and_without_a_second_head():
    _, plain = state_dict("classifier")
    _, both = state_dict("distillation")
    load = models.CASViT.from_torch_state_dict
    assert load(plain, **SMALL).head == "classifier"
    assert load(both, **SMALL).head == "distillation"
    x = images(32, 32)
    model = load(both, head="classifier", **SMALL)
    (first, second) = load(both, **SMALL)(x, training=True)
    assert first.shape == second.shape == (2, 5)
    both["dist_head.weight"] = both["head.weight"]
    both["dist_head.bias"] = both["head.bias"]
    mean = load(both, **SMALL).predict_on_batch(x)
    np.testing.assert_allclose(mean, model.predict_on_batch(x), rtol=1e-5)
    # The stages of a file that was made to classify.
    stages = load(both, head="stages", **SMALL)
    np.testing.assert_array_equal(
        stages.blocks[-1].mlp_out[0], model.blocks[-1].mlp_out[0]
    )


@once
def test_checkpoints():
    _, arrays = state_dict("classifier")
    other = {name: np.zeros_like(each) for name, each in arrays.items()}
    load = models.CASViT.from_torch_state_dict
    for checkpoint in (
        {"model": arrays, "epoch": 3},
        {"model": other, "model_ema": arrays},
    ):
        model = load(checkpoint, **SMALL)
        np.testing.assert_array_equal(
            model.classifier.kernel, arrays["head.weight"].T
        )


@once
def test_files_that_do_not_fit():
    _, arrays = state_dict("classifier")
    load = models.CASViT.from_torch_state_dict
    arrays["head.weight"] = arrays["head.weight"][:4]
    arrays["surplus.weight"] = arrays.pop("network.0.0.norm1.bias")
    with pytest.raises(
        ValueError,
        match=r"missing: network.0.0.norm1.bias; unknown: surplus.weight; "
        r"of another shape: head.weight \(4, 6\)",
    ):
        load(arrays, **SMALL)
    with pytest.raises(ValueError, match=r"missing: .* and \d+ more"):
        load({}, **SMALL)
    with pytest.raises(ValueError, match="`arrays`. Expected a dictionary"):
        load([1], **SMALL)


@once
def test_saving_and_any_size(tmp_path):
    model = models.CASViT(drop_rate=0.3, **SMALL)
    expected = model.predict_on_batch(images(64, 35))
    rates = [each.drop_rate for each in model.blocks]
    np.testing.assert_allclose(rates, [0, 0.075, 0.15, 0.225, 0.3])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    found = loaded.predict_on_batch(images(64, 35))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert loaded.predict_on_batch(images(20, 7)).shape == (2, 5)


@once
def test_channels_first():
    last = models.CASViT(**SMALL)
    first = models.CASViT(**SMALL, data_format="channels_first")
    x = images(33, 40)
    expected = last(x)
    swapped = x.transpose(0, 3, 1, 2)
    first.build(swapped.shape)
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(first(swapped)),
        ops.convert_to_numpy(expected),
        rtol=1e-4,
        atol=1e-5,
    )


class Distilled(models.CASViT):
    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        logits = y_pred if training else [y_pred]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return sum(loss(y, each) for each in logits)


@once
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_training_with_a_second_head(dtype):
    model = Distilled(head="distillation", drop_rate=0.2, dtype=dtype, **SMALL)
    model.compile("adam")
    x, y = images(32, 32), np.array([1, 4])
    before = model.predict_on_batch(x)
    history = model.fit(x, y, validation_data=(x, y), verbose=0).history
    assert np.isfinite([*history["loss"], *history["val_loss"]]).all()
    assert (model.predict_on_batch(x) != before).all()


@once
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"variant": "xl"}, "`variant`. Expected one of .*'xl'"),
        ({"head": None}, "`head`. Expected one of"),
        ({"depths": [1, 2]}, "`depths`. Expected .* list of 4"),
        ({"widths": [3, 4, 4, 4]}, "`widths`. Expected an even first"),
        ({"drop_rate": 1}, r"`drop_rate`. Expected a number in \[0, 1\)"),
        ({"classes": 0}, "`classes`. Expected a positive integer"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.CASViT(**arguments)


@once
def test_bad_shapes():
    with pytest.raises(ValueError, match="rank 4 with a defined channel axis"):
        models.CASViT(**SMALL).build((None, 32, 32, None))
