import collections
import itertools
import unicodedata

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks import named_letters
from tasks.named_letters import LetterSettings
from tasks.named_letters import letters

# What the seed gives, for as long as the version of the data stays.
FROZEN_LETTERS = {"train": 823, "validation": 178, "test": 178}
FROZEN_PAIRS = {"script": 4, "case": 79, "base": 263, "mark": 167}
FROZEN_SHOWN = [632, 1174, 369, 650, 576]
FEW = {"train_records": 400, "validation_records": 40, "test_records": 400}


def drawn(split, **more):
    (records,) = LetterSettings(**{**FEW, **more}).draw(split)
    return records


def named(words):
    return " ".join(named_letters.vocabulary()[word] for word in words if word)


def test_splits_share_no_letter_and_know_all_words():
    splits = letters.split_letters()
    assert {name: len(codes) for name, codes in splits.items()} == (
        FROZEN_LETTERS
    )
    codes = list(itertools.chain(*splits.values()))
    assert len(set(codes)) == len(codes)
    known = {
        word for code in splits["train"] for word in letters.words_of(code)
    }
    assert known == set(named_letters.vocabulary()) - {""}


@pytest.mark.parametrize("split", letters.SPLITS)
def test_pairs_differ_in_one_attribute_and_in_ink(split):
    found = letters.pairs(split)
    if split == "test":
        assert {key: len(each) for key, each in found.items()} == FROZEN_PAIRS
    mine = set(letters.split_letters()[split])
    for index, (attribute, pairs) in enumerate(found.items()):
        assert len(pairs) and mine.issuperset(pairs.ravel().tolist())
        assert attribute == letters.ATTRIBUTES[index]
        for first, second in pairs[:200].tolist():
            a, b = letters.letters()[first], letters.letters()[second]
            assert [i for i in range(4) if a[i] != b[i]] == [index]
            for font in letters.FONTS:
                one, other = (
                    letters.draw(code, font, 17) / 255
                    for code in (first, second)
                )
                for down, right in np.ndindex(5, 5):
                    moved = np.roll(other, (down - 2, right - 2), (0, 1))
                    assert np.abs(one - moved).sum() > 3.99


@pytest.mark.parametrize(
    "first, second, alike",
    [
        ("A", "\N{CYRILLIC CAPITAL LETTER A}", True),
        ("o", "\N{CYRILLIC SMALL LETTER O}", True),
        (
            "\N{GREEK SMALL LETTER ALPHA WITH TONOS}",
            "\N{GREEK SMALL LETTER ALPHA WITH OXIA}",
            True,
        ),
        ("E", "\N{CYRILLIC CAPITAL LETTER E}", False),
        ("O", "o", False),
    ],
)
def test_look_alikes(first, second, alike):
    found = letters.difference(ord(first), ord(second))
    assert (found < letters.MIN_DIFFERENCE) == alike


def test_neither_side_tells_alone():
    records = drawn("test")
    labels = collections.defaultdict(list)
    for image, words, label in zip(
        records["image"], records["words"], records["label"], strict=True
    ):
        labels[image.tobytes()].append(label)
        labels[tuple(words)].append(label)
    assert len(labels) > 100
    assert all(np.mean(each) == 0.5 for each in labels.values())


def test_records_are_what_they_say():
    records = drawn("test")
    shown, stated = records["shown"], records["named"]
    np.testing.assert_array_equal(records["label"], shown == stated)
    for words, code in zip(records["words"], stated, strict=True):
        assert named(words) == unicodedata.name(chr(code))
    for index in range(0, 40, 2):
        font = letters.FONTS[records["font"][index]]
        assert any(
            np.array_equal(
                letters.draw(int(shown[index]), font, size, (right, down)),
                records["image"][index, ..., 0],
            )
            for size in letters.SIZES
            for right, down in itertools.product((-1, 0, 1), repeat=2)
        )
    pictures = collections.defaultdict(set)
    for image, code in zip(records["image"], shown, strict=True):
        pictures[code].add(image.tobytes())
    assert max(map(len, pictures.values())) > 1
    # Nothing is cut off, wherever a letter is moved.
    for code, font in itertools.product(letters.letters(), letters.FONTS):
        middle = letters.draw(code, font, 18)
        edge = middle.copy()
        edge[1:-1, 1:-1] = 0
        assert middle.any() and not edge.any()


def test_same_seed_same_records():
    first, again, other = drawn("train"), drawn("train"), drawn("train", seed=1)
    for name, column in first.items():
        np.testing.assert_array_equal(column, again[name])
    assert not np.array_equal(first["image"], other["image"])
    # Codes only: pictures depend on the version of FreeType.
    assert first["shown"][::4][:5].tolist() == FROZEN_SHOWN


def test_load():
    (images, words), labels = named_letters.load("test", **FEW)
    assert images.shape == (400, 24, 24, 1) and images.dtype == np.float32
    assert images.min() == 0 and 0.9 < images.max() <= 1
    assert words.shape == (400, 10) and words.dtype == np.int64
    assert words.max() < len(named_letters.vocabulary())
    assert labels.shape == (400,) and labels.mean() == 0.5
    info = tfds.builder("named_letters").info
    assert info.supervised_keys == (("image", "words"), "label")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"split": "eval"}, "Unknown split 'eval'."),
        ({"train_records": 0}, "argument `train_records`. Expected an integer"),
        ({"seed": 0.5}, "argument `seed`. Expected an integer"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        named_letters.load(**arguments)
