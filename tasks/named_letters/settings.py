"""How many records, and how they are stored."""

import dataclasses
from typing import ClassVar

from tasks.named_letters import letters
from tasks.named_letters.pairing import show_and_name
from tasks.packed.settings import PackedSettings


@dataclasses.dataclass(frozen=True)
class LetterSettings(PackedSettings):
    """Sizes of the data: everything the records depend on.

    Four records make a pair of letters, each picture with either name. Numbers
    of records that four divides keep the halves exactly equal.

    Args:
        train_records: Positive integer.
        validation_records: Positive integer.
        test_records: Positive integer.
        seed: Non-negative integer.
    """

    dataset: ClassVar[str] = "named_letters"
    version: ClassVar[str] = "1.0.0"
    splits: ClassVar[tuple[str, ...]] = letters.SPLITS

    train_records: int = 60_000
    validation_records: int = 4_000
    test_records: int = 8_000
    seed: int = 0

    def __post_init__(self):
        counts = {f"{split}_records": 1 for split in self.splits}
        self._check_integers(**counts, seed=0)

    def arrays(self):
        number = ("<i8", ())
        return {
            "image": ("|u1", (letters.SIDE, letters.SIDE, 1)),
            "words": ("<i8", (letters.longest_name(),)),
            "label": number,
            "shown": number,
            "named": number,
            "attribute": number,
            "font": number,
        }

    def draw(self, split):
        """Yields the records of a split at once: see `show_and_name`."""
        yield show_and_name(self, split)
