"""Pictures of two letters with either name, so that neither tells alone."""

import numpy as np

from tasks.named_letters import letters

# How often the two letters of a pair differ in what. Few differ in the script.
SHARES = {"script": 0.1, "case": 0.3, "base": 0.3, "mark": 0.3}
# Which of a pair's two letters is shown in its four records, and which named.
SHOWN = np.array([0, 1, 0, 1])
NAMED = np.array([0, 1, 1, 0])


def show_and_name(settings, split):
    """Draws the records of a split.

    Args:
        settings: `LetterSettings`.
        split: `"train"`, `"validation"` or `"test"`.

    Returns:
        Dictionary of arrays of a row for each record: `image`, uint8 of shape
        `(records, 24, 24, 1)`, and int64 ones: `words`, the name as indices
        into the vocabulary; `label`, 1 if it is the letter's; `shown` and
        `named`, the code points of the letter and of the name's letter;
        `attribute`, in what the pair's two letters differ; and `font`.
    """
    stream = letters.SPLITS.index(split)
    rng = np.random.default_rng([settings.seed, stream])
    records = settings.records[split]
    count = -(-records // len(SHOWN))
    pairs = letters.pairs(split)
    attribute = rng.choice(
        len(letters.ATTRIBUTES),
        count,
        p=[SHARES[name] for name in letters.ATTRIBUTES],
    )
    font = rng.integers(len(letters.FONTS), size=count)
    # Each picture has a size and a place of its own.
    size = rng.integers(len(letters.SIZES), size=(count, 2))
    shift = rng.integers(-letters.SHIFT, letters.SHIFT + 1, (count, 2, 2))
    codes = np.empty((count, 2), np.int64)
    for index, name in enumerate(letters.ATTRIBUTES):
        mine = attribute == index
        codes[mine] = pairs[name][
            rng.integers(len(pairs[name]), size=sum(mine))
        ]
    images = np.empty((count, 2, letters.SIDE, letters.SIDE, 1), np.uint8)
    for i, j in np.ndindex(count, 2):
        images[i, j, ..., 0] = letters.draw(
            int(codes[i, j]),
            letters.FONTS[font[i]],
            letters.SIZES[size[i, j]],
            tuple(shift[i, j].tolist()),
        )
    names = letters.encoded_names()
    words = np.stack([names[code] for code in codes.ravel().tolist()])
    words = words.reshape(count, 2, -1)
    fours = {
        "image": images[:, SHOWN],
        "words": words[:, NAMED],
        "label": np.tile((SHOWN == NAMED).astype(np.int64), (count, 1)),
        "shown": codes[:, SHOWN],
        "named": codes[:, NAMED],
        "attribute": np.repeat(attribute[:, None], len(SHOWN), axis=1),
        "font": np.repeat(font[:, None], len(SHOWN), axis=1),
    }
    return {
        name: each.reshape(-1, *each.shape[2:])[:records]
        for name, each in fours.items()
    }
