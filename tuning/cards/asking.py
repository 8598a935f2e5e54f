"""The questions of a card, and the records they are asked on."""

import dataclasses
import functools

import numpy as np

from kmul.metrics.within_tolerance import DEFAULT_TOLERANCE
from tasks import baseline
from tasks.arithmetic_ops.loading import add_label as add_result
from tasks.arithmetic_ops.settings import ArithmeticSettings
from tasks.placed_digits.loading import add_classes
from tasks.placed_digits.settings import PlacingSettings
from tasks.reasoning_ops.operations import OPERATIONS
from tasks.reasoning_ops.settings import InputSettings


@dataclasses.dataclass(frozen=True)
class Settings:
    """How much is asked. Cards of equal settings compare.

    Nothing here depends on the time that a card may take, nor on the machine's
    other work: what does not fit is left out, and the card says so.

    Attributes:
        width: Width of each of two vectors.
        elements: Width of the vectors whose elements are summed for
            arithmetic.
        steps: Training steps of a layer on vectors.
        image_steps: Training steps of a layer on images.
        checks: How often the validation loss is looked at.
        batch_size: Records per step.
        learning_rates: Those that are tried, from the first seed. The
            validation loss chooses one for all seeds.
        seeds: How many times a layer learns a question at that rate.
        train_records: Records of vectors that are trained on.
        image_records: Images that are trained on.
        records: Records to validate on, and as many to test on.
    """

    width: int = 16
    elements: int = 8
    steps: int = 2_000
    image_steps: int = 1_000
    checks: int = 8
    batch_size: int = 32
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    seeds: int = 3
    train_records: int = 32_000
    image_records: int = 10_000
    records: int = 2_000


@dataclasses.dataclass(frozen=True)
class Question:
    """Something that a layer may learn.

    Attributes:
        key: Its name in tables: `"logical_xor/many_hot"`.
        sign: How it is written in a picture.
        skill: Name of the skill that it is a part of, in the verdict.
        heading: Its heading in a picture.
    """

    key: str
    sign: str
    skill: str
    heading: str


BITS, NUMBERS, POSITIVE = "bits", "numbers, −1 to 1", "numbers, 0 to 1"
INSIDE, BEYOND = "arithmetic", "arithmetic on larger numbers"
IMAGES, WITH_RELU = "images", "images, with relu"

# How the signs are read.
LEGENDS = {
    "vectors": "a and b are two vectors: ∘ multiplies their elements, · is the "
    "dot product, Σ the sum of all elements; “a, b” repeats both. s and t are "
    "sums of two numbers of a vector.",
    "images": "Which digit an image shows, and where it is.",
}
# Which operations are asked on which inputs. Left out: one-hot vectors, as the
# best constant is right on 97 % of their labels or more; `reduce_max`, where it
# is right on 99 %; `equality` and `almost_equal`, the complement of
# `logical_xor` on bits; and `elementwise_mul`, which is `logical_and` on them.
_NUMBER_OPERATIONS = {
    "elementwise_mul": ("a ∘ b", "products"),
    "elementwise_add": ("a + b", "sums"),
    "dot": ("a · b", "dot products"),
    "concat": ("a, b", "copies"),
    "reduce_sum": ("Σ", "sums"),
}
_BIT_OPERATIONS = {
    "logical_xor": ("xor", "logic on bits"),
    "logical_and": ("and", "logic on bits"),
    "logical_or": ("or", "logic on bits"),
    "elementwise_add": ("a + b", "sums"),
    "dot": ("a · b", "dot products"),
    "concat": ("a, b", "copies"),
    "reduce_sum": ("Σ", "sums"),
}
_INPUTS = {
    "many_hot": (BITS, _BIT_OPERATIONS),
    "random": (NUMBERS, _NUMBER_OPERATIONS),
    "random_pos": (POSITIVE, _NUMBER_OPERATIONS),
}
_ARITHMETIC = {
    "add": ("s + t", "sums"),
    "sub": ("s − t", "differences"),
    "mul": ("s t", "products"),
    "div": ("s ÷ t", "quotients"),
    "square": ("s²", "squares"),
    "root": ("√s", "roots"),
}
_LABELS = {"digit": "which digits", "position": "where digits are"}


@dataclasses.dataclass(frozen=True)
class Group:
    """Questions that share inputs and an architecture, and so a program.

    Attributes:
        name: Name for people, in the list of omissions.
        kind: `"vectors"`, `"arithmetic"` or `"images"`.
        inputs: Name of the inputs' distribution; of images, the activation.
        tasks: Tuple of the names of tasks.
    """

    name: str
    kind: str
    inputs: str
    tasks: tuple[str, ...]

    @property
    def depth(self):
        """Depth of the network, as `tuning.networks.layers` means it."""
        return {"vectors": 1, "arithmetic": 2, "images": 3}[self.kind]

    @property
    def activation(self):
        return self.inputs if self.kind == "images" else "linear"

    @property
    def loss(self):
        if self.kind == "images":
            return "sparse_categorical_crossentropy"
        return "mse"

    def questions(self):
        """Returns the questions by `(task, test)`."""
        if self.kind == "vectors":
            heading, operations = _INPUTS[self.inputs]
            return {
                (task, "test"): Question(
                    f"{task}/{self.inputs}", *operations[task], heading
                )
                for task in self.tasks
            }
        if self.kind == "images":
            heading = WITH_RELU if self.inputs == "relu" else IMAGES
            return {
                (task, "test"): Question(
                    f"{task}/{self.inputs}", task, _LABELS[task], heading
                )
                for task in self.tasks
            }
        return {
            (task, test): Question(
                f"{task}/{test}", *_ARITHMETIC[task], heading
            )
            for test, heading in (
                ("interpolation", INSIDE),
                ("extrapolation", BEYOND),
            )
            for task in self.tasks
        }

    def steps(self, settings):
        """Training steps of a member."""
        if self.kind == "images":
            return settings.image_steps
        return settings.steps

    def members(self, settings):
        """How many trainings there are, of all questions together."""
        each = len(settings.learning_rates) + settings.seeds - 1
        return len(self.tasks) * each

    def goal(self, label):
        """Returns when training ends early, as arguments of `Population.fit`.

        That is at a root of the mean squared error of a tenth of what counts
        as right. Where larger numbers are to follow, and for classes, more
        training may still help.
        """
        if self.kind != "vectors":
            return {}
        target = (self.tolerance(label) / 10) ** 2
        return {"monitor": "val_loss", "target": target, "mode": "min"}

    def records(self, settings, split):
        """Returns the records of a split.

        Args:
            settings: `Settings`.
            split: `"train"`, `"validation"` or the name of a test.

        Returns:
            `(x, labels)`: the network's inputs, and a list with the
            labels of each task.
        """
        if self.kind == "vectors":
            x = _vectors(settings, self.inputs, split)
            return x, [OPERATIONS[task].label(*x) for task in self.tasks]
        if self.kind == "arithmetic":
            return _arithmetic(settings, split, self.tasks)
        return _images(settings, split, self.tasks)

    def constants(self, settings, split):
        """Returns how often the best constant is right, for each task."""
        _, known = self.records(settings, "train")
        _, labels = self.records(settings, split)
        accuracies = []
        for some, label in zip(known, labels, strict=True):
            if self.kind == "images":
                right = label == np.bincount(some).argmax()
                accuracies.append(float(right.mean()))
            else:
                constant = baseline.best_constant(
                    some, self.tolerance(some), settings.records
                )
                accuracies.append(
                    baseline.constant_accuracy(
                        constant, label, self.tolerance(some)
                    )
                )
        return accuracies

    def tolerance(self, label):
        """Returns the largest error that counts as right."""
        if self.kind == "vectors":
            return DEFAULT_TOLERANCE
        # The tolerance on labels of about unit variance.
        return DEFAULT_TOLERANCE * float(label.std())

    def accuracy(self, predictions, label, known):
        """Returns the share of right elements.

        Args:
            predictions, label: Arrays.
            known: The training labels.
        """
        if self.kind == "images":
            return float(np.mean(predictions.argmax(axis=-1) == label))
        with np.errstate(invalid="ignore"):
            right = np.abs(predictions - label) <= self.tolerance(known)
        return float(right.mean())


def groups(kind):
    """Returns the questions for layers of vectors, or of images.

    Args:
        kind: `"vectors"` or `"images"`.

    Returns:
        A list of `Group`s, the most telling ones first.
    """
    if kind == "images":
        return [
            Group("images with relu", "images", "relu", tuple(_LABELS)),
            Group("images", "images", "linear", tuple(_LABELS)),
        ]
    found = []
    for name, tasks in (
        (
            "element by element",
            (
                "logical_xor",
                "logical_and",
                "logical_or",
                "elementwise_mul",
                "elementwise_add",
            ),
        ),
        ("one number", ("dot", "reduce_sum")),
        ("both vectors", ("concat",)),
    ):
        for inputs, (heading, operations) in _INPUTS.items():
            mine = tuple(task for task in tasks if task in operations)
            found.append(Group(f"{name}, {heading}", "vectors", inputs, mine))
    arithmetic = Group(
        "arithmetic", "arithmetic", "uniform", tuple(_ARITHMETIC)
    )
    order = (0, 1, 3, 4)
    return [
        *(found[i] for i in order),
        arithmetic,
        *(each for i, each in enumerate(found) if i not in order),
    ]


def questions(kind):
    """Returns all questions of layers of vectors, or of images, in order."""
    found = [
        question
        for group in groups(kind)
        for question in group.questions().values()
    ]
    headings = (BITS, NUMBERS, POSITIVE, INSIDE, BEYOND, WITH_RELU, IMAGES)
    return sorted(found, key=lambda each: headings.index(each.heading))


@functools.lru_cache(maxsize=32)
def _draw(settings, split):
    """Returns the columns of a split, drawn in memory and kept nowhere else."""
    parts = list(settings.draw(split))
    return {
        name: settings.unpack(np.concatenate([each[name] for each in parts]))
        for name in settings.arrays()
    }


def _vectors(settings, inputs, split):
    """Returns `[a, b]`."""
    columns = _draw(
        InputSettings(
            inputs,
            width=settings.width,
            train_records=settings.train_records,
            validation_records=settings.records,
            test_records=settings.records,
        ),
        split,
    )
    return [columns["a"], columns["b"]]


def _arithmetic(settings, split, operations):
    """Returns the vectors, and the results of operations on their sums."""
    arithmetic = ArithmeticSettings(
        size=settings.elements,
        train_records=settings.train_records,
        validation_records=settings.records,
        interpolation_records=settings.records,
        extrapolation_records=settings.records,
    )
    columns = _draw(arithmetic, split)
    labels = [
        add_result(columns, operation, arithmetic)["label"]
        for operation in operations
    ]
    return columns["x"], labels


def _images(settings, split, labels):
    """Returns images from 0 to 1, and their classes."""
    placing = PlacingSettings(
        train_records=settings.image_records,
        validation_records=settings.records,
        test_records=settings.records,
    )
    columns = add_classes(_draw(placing, split), placing)
    images = np.divide(columns["image"], 255, dtype=np.float32)
    return images, [columns[label].astype("int32") for label in labels]
