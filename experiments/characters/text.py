"""A text that Python ships, and its two baselines."""

import collections
import dataclasses
import hashlib
import math

import numpy as np

from tuning.errors import UserError

# Of the topics that Python 3.11.7's `help()` shows, put together as here.
SHA256 = "f784d6fb39bdb407417b39889b74209e5327a12c530ac010595a0cb3719c903b"
# Shares of the text to validate and to test on, from its end.
HELD_OUT = 0.1


@dataclasses.dataclass(frozen=True)
class Text:
    """A text in three parts, as indices into its characters.

    Attributes:
        characters: The characters of all parts, sorted.
        train, validation, test: Integer arrays of shape `(length,)`.
    """

    characters: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def load():
    """Returns the `Text` of the topics of Python's `help()`.

    Raises:
        UserError: This Python has others.
    """
    text = topics_text()
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != SHA256:
        raise UserError(
            "The text is that of Python 3.11.7's `pydoc_data.topics`, with the "
            f"SHA-256 {SHA256}. This Python has another, with {found}: run "
            "the experiment with Python 3.11.7."
        )
    return split(text)


def topics_text():
    """The paragraphs of all topics, each once: topics repeat one another."""
    from pydoc_data.topics import topics

    paragraphs = {}
    for name in sorted(topics):
        for paragraph in topics[name].split("\n\n"):
            paragraphs.setdefault(paragraph.strip(), paragraph.strip("\n"))
    return "\n\n".join(paragraphs.values())


def split(text):
    """Returns the `Text` of a string: its end to test on, and before that."""
    characters = "".join(sorted(set(text)))
    index = {character: i for i, character in enumerate(characters)}
    codes = np.array([index[character] for character in text], np.int32)
    held_out = int(HELD_OUT * len(codes))
    parts = np.split(codes, [-2 * held_out, -held_out])
    return Text(characters, *parts)


def unigram_bits(text):
    """Bits per character of the test part by the frequency of characters."""
    counts = 1 + np.bincount(text.train, minlength=len(text.characters))
    return float(-np.log2(counts / counts.sum())[text.test].mean())


def ngram_bits(text, order=5):
    """Bits per character of the test part by the last `order - 1` of them.

    The model is interpolated by Witten and Bell: the more different characters
    have followed a context, the more counts what follows the shorter one.

    ```
    p(x | context) = (n(context x) + t(context) p(x | shorter context))
                     / (n(context) + t(context))
    ```

    n counts in the training part, t counts different characters. Behind the
    empty context all characters are equally likely.
    """
    followers = [_followers(text.train, length) for length in range(order)]
    history = np.concatenate([text.train[len(text.train) - order :], text.test])
    history = history.tolist()
    bits = 0.0
    for end in range(order, len(history)):
        probability = 1 / len(text.characters)
        for length, counts in enumerate(followers):
            seen = counts.get(tuple(history[end - length : end]))
            if seen is None:
                break
            kinds = len(seen)
            probability = (seen[history[end]] + kinds * probability) / (
                seen.total() + kinds
            )
        bits -= math.log2(probability)
    return bits / (len(history) - order)


def _followers(codes, length):
    """Counts what follows each context of a length."""
    codes = codes.tolist()
    counts = collections.defaultdict(collections.Counter)
    for end in range(length, len(codes)):
        counts[tuple(codes[end - length : end])][codes[end]] += 1
    return counts
