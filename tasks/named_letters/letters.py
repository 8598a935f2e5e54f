"""The letters of the fonts that matplotlib ships, their names, and their pairs.

None of it depends on settings. It depends on the fonts that matplotlib
ships, on how Pillow draws them, and on the names that Python knows.
"""

import collections
import functools
import itertools
import pathlib
import re
import unicodedata

import numpy as np

FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono")
SIDE = 24
# Of the fonts, in pixels. Two letters are compared in the middle one.
SIZES = (16, 17, 18)
# Row of the baseline, and by how many pixels a letter is moved at most.
BASELINE = 18
SHIFT = 1
# Two letters look alike if their pictures differ by less ink than that of so
# many pixels, in any font and wherever they are moved.
MIN_DIFFERENCE = 4

# What a name consists of: LATIN SMALL LETTER A WITH ACUTE.
NAME = re.compile(
    r"(?P<script>LATIN|GREEK|CYRILLIC|ARMENIAN) (?P<case>CAPITAL|SMALL) LETTER "
    r"(?P<base>.+?)(?: WITH (?P<mark>.+))?"
)
ATTRIBUTES = ("script", "case", "base", "mark")
# Each of the last two has about so large a share of the letters.
SPLITS = ("train", "validation", "test")
HELD_OUT = 0.15


@functools.cache
def letters():
    """The letters that all fonts have and that fit.

    Returns:
        Dictionary of code points, each with its attributes as a tuple of
        strings, the mark being empty if there is none.
    """
    from matplotlib.ft2font import FT2Font

    found = {}
    charmaps = [FT2Font(str(_path(name))).get_charmap() for name in FONTS]
    for code in sorted(set.intersection(*map(set, charmaps))):
        parts = NAME.fullmatch(unicodedata.name(chr(code), ""))
        if parts and all(_fits(code, name) for name in FONTS):
            found[code] = tuple(parts[each] or "" for each in ATTRIBUTES)
    return found


@functools.cache
def vocabulary():
    """The words of all names, sorted, behind an empty one that fills up."""
    words = {word for code in letters() for word in words_of(code)}
    return ("", *sorted(words))


def words_of(code):
    """Returns the words of a letter's name."""
    return unicodedata.name(chr(code)).split()


@functools.cache
def longest_name():
    """The number of words of the longest name."""
    return max(len(words_of(code)) for code in letters())


@functools.cache
def encoded_names():
    """The names as indices into the vocabulary.

    Returns:
        Dictionary of code points, each with an int64 array of shape
        `(longest_name(),)`, zeros at its end.
    """
    index = {word: i for i, word in enumerate(vocabulary())}
    encoded = {}
    for code in letters():
        words = [index[word] for word in words_of(code)]
        encoded[code] = np.pad(words, (0, longest_name() - len(words)))
    return encoded


@functools.cache
def split_letters():
    """The code points of each split.

    Letters of one base and mark are in one split, whatever their script and
    case, and every word of a held-out name is in a name of training.
    """
    groups = collections.defaultdict(list)
    for code, (_, _, base, mark) in letters().items():
        groups[base, mark].append(code)
    words = {key: set(" ".join(key).split()) for key in groups}
    left = collections.Counter(word for key in groups for word in words[key])
    wanted = HELD_OUT * len(letters())
    splits = {split: [] for split in SPLITS}
    keys = list(groups)
    for number in np.random.default_rng(0).permutation(len(keys)):
        key = keys[number]
        split = "train"
        if all(left[word] > 1 for word in words[key]):
            for each in ("test", "validation"):
                if len(splits[each]) < wanted:
                    split = each
                    left.subtract(words[key])
                    break
        splits[split] += groups[key]
    return {split: sorted(codes) for split, codes in splits.items()}


@functools.cache
def pairs(split):
    """The pairs of letters of a split that differ in exactly one attribute.

    Returns:
        Dictionary of attributes, each with an int64 array of shape `(pairs,
        2)` of code points. Letters that look alike are no pair.
    """
    found = {attribute: [] for attribute in ATTRIBUTES}
    for first, second in itertools.combinations(split_letters()[split], 2):
        differing = [
            attribute
            for attribute, a, b in zip(
                ATTRIBUTES, letters()[first], letters()[second], strict=True
            )
            if a != b
        ]
        if len(differing) == 1:
            found[differing[0]].append((first, second))
    return {
        attribute: np.array(
            [pair for pair in each if difference(*pair) >= MIN_DIFFERENCE]
        )
        for attribute, each in found.items()
    }


def difference(first, second):
    """How much ink tells two letters apart where they are most alike.

    Returns:
        The sum over pixels of the difference, 1 being that of black and white,
        the smallest over all fonts and over all places of the one beside those
        of the other. If it is `MIN_DIFFERENCE` or more, a number from there on.
    """
    smallest = float("inf")
    for name in FONTS:
        a, b = _drawn(first, name), _drawn(second, name)
        # Nothing moves the ink of a picture, so this much differs anyhow.
        if abs(a.sum() - b.sum()) >= MIN_DIFFERENCE:
            smallest = min(smallest, float(abs(a.sum() - b.sum())))
            continue
        least = np.abs(_windows(a) - b).sum((-2, -1)).min()
        smallest = min(smallest, float(least))
    return smallest


def draw(code, font, size, shift=(0, 0)):
    """Draws a letter, white on black.

    Args:
        code: Its code point.
        font: One of `FONTS`.
        size: Size of the font in pixels.
        shift: Pixels by which it is moved to the right and downwards.

    Returns:
        uint8 array of shape `(SIDE, SIDE)`.
    """
    from PIL import Image
    from PIL import ImageDraw

    picture = Image.new("L", (SIDE, SIDE))
    place = (SIDE // 2 + shift[0], BASELINE + shift[1])
    ImageDraw.Draw(picture).text(
        place, chr(code), 255, _font(font, size), anchor="ms"
    )
    return np.asarray(picture)


@functools.cache
def _drawn(code, font):
    return draw(code, font, SIZES[1]).astype(np.float32) / 255


def _windows(picture):
    """The picture, moved to all places beside one that is moved as well."""
    padded = np.pad(picture, 2 * SHIFT)
    return np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE))


def _fits(code, font):
    """Whether nothing of a letter is cut off, at any size and place."""
    box = _font(font, SIZES[-1]).getbbox(chr(code), anchor="ms")
    left, top, right, bottom = box
    return (
        left + SIDE // 2 >= SHIFT
        and top + BASELINE >= SHIFT
        and right + SIDE // 2 <= SIDE - SHIFT
        and bottom + BASELINE <= SIDE - SHIFT
    )


@functools.cache
def _font(name, size):
    from PIL import ImageFont

    # The other engine is not installed everywhere, and draws otherwise.
    engine = ImageFont.Layout.BASIC
    return ImageFont.truetype(_path(name), size, layout_engine=engine)


def _path(name):
    import matplotlib

    return pathlib.Path(
        matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"
    )
