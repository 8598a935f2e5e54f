import zlib

import numpy as np
import pytest

from tasks.reasoning_ops import INPUTS
from tasks.reasoning_ops import SPLITS
from tasks.reasoning_ops import InputSettings

# Checksums of the first training records of the default settings, and of all
# records of small ones. Other bytes are another data set.
FIRST = {
    "one_hot": 0xBD12C5FB,
    "many_hot": 0x015109E9,
    "random": 0xFA067DD2,
    "random_pos": 0x22A0E78B,
}
SMALL = {
    "one_hot": 0xE8C179C1,
    "many_hot": 0xC7CCD7B1,
    "random": 0x88BD9EFE,
    "random_pos": 0x6E1C42F4,
}


def draw(settings):
    """All records of a settings: split → (a, b), unpacked."""
    return {split: draw_split(settings, split) for split in SPLITS}


def draw_split(settings, split):
    parts = list(settings.draw(split))
    return tuple(
        settings.unpack(np.concatenate([part[side] for part in parts]))
        for side in "ab"
    )


def small(inputs, **kwargs):
    kwargs = {"width": 12, "train_records": 90, **kwargs}
    return InputSettings(
        inputs, validation_records=20, test_records=30, **kwargs
    )


def checksum(arrays):
    result = 0
    for array in arrays:
        result = zlib.crc32(np.ascontiguousarray(array), result)
    return result


@pytest.mark.parametrize("inputs", INPUTS)
def test_values(inputs):
    a, b = draw_split(InputSettings(inputs, train_records=4000), "train")
    assert a.shape == b.shape == (4000, 128)
    assert a.dtype == b.dtype == np.float32
    for values in (a, b):
        if inputs == "one_hot":
            np.testing.assert_array_equal(values.sum(axis=-1), 1)
            np.testing.assert_array_equal(values.max(axis=-1), 1)
        elif inputs == "many_hot":
            assert set(np.unique(values)) == {0, 1}
        else:
            low = -1 if inputs == "random" else 0
            assert low <= values.min() < low + 0.01
            assert 0.99 < values.max() < 1
        mean = {"one_hot": 1 / 128, "random": 0}.get(inputs, 0.5)
        assert abs(values.mean() - mean) < 0.005
        per_element = {"one_hot": 0.012}.get(inputs, 0.06)
        assert np.abs(values.mean(axis=0) - mean).max() < per_element
    assert np.any(a != b, axis=-1).mean() > 0.98


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("width", [8, 11, 40])
def test_no_record_twice(inputs, width):
    count = 14 if inputs == "one_hot" and width == 8 else 2000
    if inputs == "one_hot":
        count = min(count, width**2 - 50)
    settings = small(inputs, width=width, train_records=count)
    splits = draw(settings)
    records = np.concatenate(
        [np.concatenate(splits[name], axis=-1) for name in SPLITS]
    )
    assert len(records) == count + 50
    assert len(np.unique(records, axis=0)) == len(records)


def test_one_hot_by_default_has_every_pair_once():
    splits = draw(InputSettings("one_hot"))
    assert {name: len(a) for name, (a, _) in splits.items()} == {
        "train": 8384,
        "validation": 4000,
        "test": 4000,
    }
    pairs = {
        pair
        for a, b in splits.values()
        for pair in zip(a.argmax(-1), b.argmax(-1), strict=True)
    }
    assert len(pairs) == 128 * 128


@pytest.mark.parametrize("inputs", ["one_hot", "many_hot"])
def test_all_there_are(inputs):
    """Every record of a small space is found, and one more is refused."""
    width, existing = {"one_hot": (20, 400), "many_hot": (4, 256)}[inputs]
    settings = small(inputs, width=width, train_records=existing - 50)
    train = draw(settings)["train"]
    assert len(train[0]) == existing - 50
    with pytest.raises(
        ValueError,
        match=f"There are only {existing} different records of {inputs} of "
        f"width {width}, .* Received: train_records={existing - 49}, "
        "validation_records=20, test_records=30",
    ):
        small(inputs, width=width, train_records=existing - 49)


def test_default_number_is_what_there_is():
    assert InputSettings("one_hot").train_records == 8384
    assert InputSettings("many_hot").train_records == 1_000_000
    assert small("many_hot", width=4, train_records=None).train_records == 206
    with pytest.raises(ValueError, match="only 16 different records"):
        small("many_hot", width=2, train_records=None)


@pytest.mark.parametrize("inputs", INPUTS)
def test_evaluation_does_not_depend_on_training(inputs):
    few, many = (
        draw(small(inputs, width=16, train_records=count))
        for count in (10, 200)
    )
    for split in ("validation", "test"):
        np.testing.assert_array_equal(few[split], many[split])
    for less, more in zip(few["train"], many["train"], strict=True):
        np.testing.assert_array_equal(less, more[:10])


@pytest.mark.parametrize("inputs", INPUTS)
def test_seeds_differ(inputs):
    splits = draw(small(inputs, train_records=30))
    other = draw(small(inputs, train_records=30, seed=1))
    assert np.any(splits["train"][0] != other["train"][0])
    assert np.any(splits["train"][0][:20] != splits["validation"][0])
    assert np.any(splits["train"][0] != splits["train"][1])


def test_distributions_are_independent():
    random, random_pos = (
        draw(small(name))["train"][0] for name in ("random", "random_pos")
    )
    correlation = np.corrcoef(random.ravel(), random_pos.ravel())[0, 1]
    assert abs(correlation) < 0.1


@pytest.mark.parametrize("inputs", INPUTS)
def test_same_seed_same_bytes(inputs):
    first = next(InputSettings(inputs).draw("train"))
    assert checksum(first[side][:1000] for side in "ab") == FIRST[inputs]
    splits = draw(small(inputs))
    everything = [side for sides in splits.values() for side in sides]
    assert checksum(everything) == SMALL[inputs]


@pytest.mark.parametrize(
    "kwargs, text",
    [
        ({"inputs": "many_hott"}, "Unknown inputs 'many_hott'. Did you mean"),
        ({"width": 0}, "`width`. Expected an integer of at least 1"),
        ({"width": 2.5}, "Received: width=2.5"),
        ({"train_records": -1}, "Received: train_records=-1"),
        ({"train_records": float("nan")}, "Received: train_records=nan"),
        ({"validation_records": "many"}, "validation_records='many'"),
        ({"test_records": True}, "Received: test_records=True"),
        ({"seed": -1}, "`seed`. Expected an integer of at least 0"),
    ],
)
def test_bad_settings(kwargs, text):
    with pytest.raises(ValueError, match=text):
        InputSettings(**{"inputs": "random", **kwargs})
