"""Initializers and masks of layers with several parallel branches."""

import keras
import numpy as np
from keras import ops


def branch_initializer(initializer, branch):
    """Returns an initializer for one of several parallel kernels.

    One Keras initializer called twice with one shape gives the same values
    twice, so two branches that share it would start equal, and their product
    as a square. Each branch gets its own copy here. A copy of an unseeded
    initializer draws a new seed; the seed of a seeded one is derived from it
    and the branch, the first branch keeping the seed as it is.

    Args:
        initializer: A Keras initializer, or anything else callable, which is
            returned as it is (it cannot be copied), as is one that is seeded
            with a `keras.random.SeedGenerator` (it never repeats itself).
        branch: Integer, the number of the branch, from 0.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    seed = config.get("seed")
    if isinstance(seed, int):
        config["seed"] = branch_seed(seed, branch)
    elif seed is not None:
        return initializer
    return type(initializer).from_config(config)


def branch_seed(seed, branch):
    """Returns the seed of a branch, for the first the seed as it is."""
    if branch == 0:
        return seed
    sequence = np.random.SeedSequence([seed & (2**64 - 1), branch])
    return int(sequence.generate_state(1)[0] >> 1)


def parted_initializer(initializer, parts):
    """Returns an initializer for several kernels side by side in one.

    The last axis is cut into `parts` equal ones, each of which is initialized
    as a kernel of its own, so that neither the scale nor the independence of
    the parts depends on their being stored together.

    Args:
        initializer: A Keras initializer.
        parts: Positive integer.
    """
    copies = [branch_initializer(initializer, part) for part in range(parts)]

    def initialize(shape, dtype=None):
        shape = (*shape[:-1], shape[-1] // parts)
        return ops.concatenate([copy(shape, dtype) for copy in copies], -1)

    return initialize


def merge_masks(mask):
    """Returns the conjunction of the masks of several inputs.

    Args:
        mask: None, a mask, or a list of masks, some of which may be None. One
            with fewer axes than the others is shared over their further axes.

    Returns:
        A boolean tensor, true where no input is masked, or None.
    """
    if mask is None:
        return None
    if not isinstance(mask, (tuple, list)):
        return mask
    masks = [each for each in mask if each is not None]
    if not masks:
        return None
    rank = max(len(each.shape) for each in masks)
    merged = None
    for each in masks:
        while len(each.shape) < rank:
            each = ops.expand_dims(each, -1)
        merged = each if merged is None else ops.logical_and(merged, each)
    return merged
