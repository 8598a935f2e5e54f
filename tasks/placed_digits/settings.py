"""Which images, and how many classes they have."""

import dataclasses
from typing import ClassVar

from tasks._validation import check_known
from tasks.packed.settings import PackedSettings
from tasks.placed_digits.placing import DIGIT_SIZE
from tasks.placed_digits.placing import ORIGINALS
from tasks.placed_digits.placing import place

LABELS = ("digit", "position", "both")


@dataclasses.dataclass(frozen=True)
class PlacingSettings(PackedSettings):
    """Sizes of the data: everything the images depend on.

    Args:
        canvas_size: Integer ≥ 8, height and width of the images.
        distractors: Integer ≥ 0, the number of pieces on each image.
        distractor_size: Integer from 1 to 8, height and width of a piece.
        position_cells: Positive integer. The places where the digit can be are
            divided into that many rows and columns of cells, and the position
            is the number of the cell.
        train_records: Positive integer.
        validation_records: Positive integer.
        test_records: Positive integer.
        seed: Non-negative integer.
    """

    dataset: ClassVar[str] = "placed_digits"
    version: ClassVar[str] = "1.0.1"
    splits: ClassVar[tuple[str, ...]] = tuple(ORIGINALS)

    canvas_size: int = 20
    distractors: int = 3
    distractor_size: int = 4
    position_cells: int = 4
    train_records: int = 20_000
    validation_records: int = 2_000
    test_records: int = 2_000
    seed: int = 0

    def __post_init__(self):
        counts = {f"{split}_records": 1 for split in ORIGINALS}
        self._check_integers(
            canvas_size=DIGIT_SIZE,
            distractors=0,
            distractor_size=1,
            position_cells=1,
            **counts,
            seed=0,
        )
        if self.distractor_size > DIGIT_SIZE:
            raise ValueError(
                "Invalid value for argument `distractor_size`. Expected at "
                f"most {DIGIT_SIZE}, the size of a digit. Received: "
                f"distractor_size={self.distractor_size}"
            )
        if self.position_cells > self.places:
            raise ValueError(
                "Invalid value for argument `position_cells`. Expected at "
                f"most {self.places}, the places that a digit can take along "
                f"an axis of a canvas of {self.canvas_size}. Received: "
                f"position_cells={self.position_cells}"
            )

    @property
    def places(self):
        """How many places along one axis a digit can take."""
        return self.canvas_size - DIGIT_SIZE + 1

    def classes(self, label):
        """The number of classes of a label."""
        positions = self.position_cells**2
        counts = {"digit": 10, "position": positions, "both": 10 * positions}
        return counts[check_known("label", label, LABELS)]

    def arrays(self):
        return {
            "image": ("|u1", (self.canvas_size, self.canvas_size, 1)),
            "offset": ("<i8", (2,)),
            "digit": ("<i8", ()),
        }

    def draw(self, split):
        """Yields the images of a split at once: see `place`."""
        yield place(self, split)
