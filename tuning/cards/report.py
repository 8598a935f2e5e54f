"""Making a card: everything that is asked of layers, within a time."""

import concurrent.futures
import dataclasses
import datetime
import importlib.util
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np

from tuning.cards import facts as facts_module
from tuning.cards import verdict
from tuning.cards.asking import Settings
from tuning.cards.asking import groups
from tuning.cards.card import Card
from tuning.cards.running import Job
from tuning.cards.running import run_job
from tuning.cards.subjects import LayerError
from tuning.cards.subjects import describe
from tuning.cards.subjects import is_theirs
from tuning.cards.subjects import subject_of
from tuning.study.device import device_name
from tuning.study.imports import BACKENDS
from tuning.study.workers import processors
from tuning.study.workers import run_jobs

# Seconds of the budget kept for stopping workers and writing the card.
SECONDS_TO_STOP, SECONDS_TO_DRAW = 3, 5
# No facts of a backend take longer, its import included.
FACTS_SECONDS = 300
# Outputs of single precision agree if they differ by less, relative to 1.
AGREEMENT = 1e-4


def report_card(
    layer_or_factory,
    budget=60,
    settings=None,
    backends=BACKENDS,
    progress=None,
    started=None,
):
    """Returns the report card of a layer: what it learns, and what it costs.

    Args:
        layer_or_factory: A Keras layer class; a function that returns a
            layer, called with `units` (or `filters`) if it takes that; a
            layer; text, `"package.module:Layer rank=8"`; or a list of these,
            each of which gets a column. A class that is defined in a notebook
            is unknown to other processes: it is asked on one backend and one
            processor, and cannot be stopped if it hangs.
        budget: Number, the seconds that it may take. What does not fit is left
            out, and the card says so. None: as long as it takes.
        settings: `tuning.cards.asking.Settings`, how much is asked. The known
            layers are shown beside the layer at the default settings only.
        backends: Names of the backends on which the layer is looked at, beside
            Keras's own: those of them that are installed.
        progress: Callable `(event, content)` that is told what happens. See
            `tuning.card`.
        started: The `time.monotonic()` from which the budget counts. Default:
            now.

    Returns:
        A `tuning.cards.card.Card`, with a pandas `table`, the `verdicts`, and
        `save(directory)`. A notebook shows it.

    Raises:
        LayerError: No card can be made of the layer: it cannot be imported,
            made or called. The message has the lines of its code.

    Example:

    ```python
    card = tuning.report_card(keras.layers.Dense, budget=60)
    card.verdicts["Dense"]
    ```
    """
    if budget is not None and not budget > 0:
        raise ValueError(
            "Invalid value for argument `budget`. Expected a positive number "
            f"of seconds, or None. Received: budget={budget!r}"
        )
    started = time.monotonic() if started is None else started
    settings = settings or Settings()
    tell = progress or (lambda event, content: None)
    if not isinstance(layer_or_factory, (list, tuple)):
        layer_or_factory = [layer_or_factory]
    exam = _Exam(
        [subject_of(each) for each in layer_or_factory],
        settings,
        backends,
        math.inf
        if budget is None
        else started + budget - SECONDS_TO_STOP - SECONDS_TO_DRAW,
        tell,
    )
    layers = exam.run()
    return Card(
        layers,
        {
            "date": datetime.date.today().isoformat(),
            "backend": keras.config.backend(),
            "keras": keras.__version__,
            "device": f"{len(processors())} × {device_name()}",
            "budget": budget,
            "seconds": round(time.monotonic() - started, 1),
            "settings": dataclasses.asdict(settings),
        },
    )


class _Exam:
    """One run: all questions to all subjects."""

    def __init__(self, subjects, settings, backends, deadline, tell):
        names = [subject.name for subject in subjects]
        twice = {name for name in names if names.count(name) > 1}
        self.subjects = [
            dataclasses.replace(each, name=f"{each.name} {i + 1}")
            if each.name in twice
            else each
            for i, each in enumerate(subjects)
        ]
        self.settings = settings
        self.backends = backends
        self.deadline = deadline
        self.tell = tell

    def run(self):
        """Returns a dictionary for each layer."""
        main = keras.config.backend()
        others = [
            name
            for name in self.backends
            if name != main and importlib.util.find_spec(name)
        ]
        with concurrent.futures.ThreadPoolExecutor(
            max(len(processors()), 1)
        ) as pool:
            collected = {
                (subject.name, backend): pool.submit(
                    _facts, subject, backend, self.deadline
                )
                for backend in (main, *others)
                for subject in self.subjects
            }
            first = [collected[subject.name, main] for subject in self.subjects]
            if self.deadline == math.inf or self._only_here():
                # Without a deadline nothing else stops a layer that hangs; and
                # in one process they would disturb each other's seeds.
                concurrent.futures.wait(first)
            self.tell("stage", "starting")
            found = self._ask(first)
            self.tell("stage", "other backends")
            facts = {key: each.result() for key, each in collected.items()}
        backends = (main, *others)
        self._drop_broken(
            {
                subject: _why_there_is_none(
                    subject.name,
                    found[subject.name],
                    [facts[subject.name, backend] for backend in backends],
                )
                for subject in self.subjects
            }
        )
        self.tell("stage", "drawing")
        return [
            conclude(
                subject,
                found[subject.name],
                {backend: facts[subject.name, backend] for backend in backends},
                self.settings,
            )
            for subject in self.subjects
        ]

    def _only_here(self):
        """Whether a layer is known to this process only."""
        return any(subject.text is None for subject in self.subjects)

    def _drop_broken(self, reasons):
        """Leaves out the layers that have no card; raises if none has one.

        Args:
            reasons: Dictionary from the subjects to why there is no card, or
                None.
        """
        errors = {
            subject: reason for subject, reason in reasons.items() if reason
        }
        if len(errors) == len(self.subjects):
            raise LayerError("\n".join(errors.values()))
        for subject, error in errors.items():
            self.subjects.remove(subject)
            self.tell("error", error)

    def _ask(self, first):
        """Asks all questions; returns the answers for each layer.

        Args:
            first: List of the futures of the facts on this backend. When all
                say that no card can be made, nothing more is asked.
        """
        found = {subject.name: Found() for subject in self.subjects}
        kinds = {
            subject.name: groups(subject.kind) for subject in self.subjects
        }
        longest = max(map(len, kinds.values()))
        jobs = []
        for i in range(-1, longest):
            for subject in self.subjects:
                asked = kinds[subject.name]
                if i < len(asked):
                    group = asked[i] if i >= 0 else None
                    jobs.append(
                        Job(subject, group, self.settings, self.deadline)
                    )
        self.tell("jobs", jobs)
        last = self.deadline + SECONDS_TO_STOP
        events = run_jobs(
            jobs,
            run_job,
            deadline=None if last == math.inf else last,
            here=True if self._only_here() else None,
        )
        for job, kind, content in events:
            if all(each.done() and "error" in each.result() for each in first):
                events.close()
                break
            found[job.subject.name].add(job, kind, content)
            # What went wrong is said once, of the layer, not of each job.
            if kind != "error":
                self.tell(kind, (job, content))
        return found


@dataclasses.dataclass
class Found:
    """The results of a layer's jobs.

    Attributes:
        answers: List of answers, as `tuning.cards.running.ask` returns them.
        cost: As `tuning.cards.running.measure_cost` returns it, or None.
        left_out: Dictionary from names of what was left out to reasons.
    """

    answers: list = dataclasses.field(default_factory=list)
    cost: dict | None = None
    left_out: dict = dataclasses.field(default_factory=dict)

    def add(self, job, kind, content):
        """Takes an event of `run_job`."""
        name = job.group.name if job.group else "step time"
        if kind == "answers":
            self.answers += content
        elif kind == "cost":
            self.cost = content
        elif kind == "error":
            self.left_out[name] = content.strip().splitlines()[-1]
        elif kind == "stopped":
            self.left_out[name] = "no time"


def conclude(subject, found, facts, settings):
    """Returns the column of a layer.

    Args:
        subject: The layer.
        found: The `Found` of its jobs.
        facts: Dictionary of the facts by backend.
        settings: The `Settings` it was asked with.
    """
    full, left_out = {}, {**found.left_out}
    for group in groups(subject.kind):
        steps = group.steps(settings)
        keys = {each.key for each in group.questions().values()}
        full.update(dict.fromkeys(keys, steps))
        for answer in found.answers:
            if answer["question"] not in keys:
                continue
            if answer["steps"] < steps:
                left_out[group.name] = (
                    f"stopped after {answer['steps']:,} of {steps:,} steps"
                )
            elif len(answer["seeds"]) < settings.seeds:
                left_out[group.name] = (
                    f"{len(answer['seeds'])} of {settings.seeds} seeds"
                )
    asked = verdict.scores(found.answers, full)
    judged = verdict.judge(subject.kind, asked)
    return {
        "name": subject.name,
        "text": subject.text,
        "kind": subject.kind,
        "scores": asked,
        "answers": found.answers,
        "cost": found.cost,
        "facts": _compare(facts),
        "left out": left_out,
        "judged": judged,
        "verdict": verdict.in_words(judged, found.cost),
    }


def _why_there_is_none(name, found, facts):
    """Returns why a layer has no card, or None if it has one.

    Args:
        name: The layer's name.
        found: The `Found` of its jobs.
        facts: List of the facts by backend, the running one first.
    """
    if "error" in facts[0]:
        return facts[0]["error"]
    if found.answers or found.cost or "late" not in facts[0]:
        return None
    for each in facts:
        if "error" in each:
            return each["error"]
    return (
        f"There was no time to ask anything of {name}: the machine has other "
        "work, or is slow. Give it more time: --budget SECONDS, or budget=..."
    )


def _compare(facts):
    """Puts the agreement with the first backend in place of the outputs."""
    first = next((f for f in facts.values() if "outputs" in f), {})
    expected = np.array(first.get("outputs", np.nan), float)
    compared = {}
    for backend, found in facts.items():
        found = {**found}
        if "outputs" in found:
            outputs = np.array(found.pop("outputs"), float)
            if outputs.shape == expected.shape:
                off = np.abs(outputs - expected) / (1 + np.abs(expected))
                both_nan = np.isnan(outputs) & np.isnan(expected)
                off = float(np.where(both_nan, 0, off).max())
                found["agrees"] = (
                    "yes" if off <= AGREEMENT else f"differs by {off:.1g}"
                )
            else:
                found["agrees"] = "another shape"
        compared[backend] = found
    return compared


def _facts(subject, backend, deadline):
    """Returns the facts about a layer on a backend, or an `error`."""
    if subject.text is None:
        if backend != keras.config.backend():
            return {"late": "only this process knows the layer"}
        try:
            return facts_module.collect(subject)
        except LayerError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": describe(error)}
    left = min(FACTS_SECONDS, max(deadline - time.monotonic(), 1))
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "facts.json")
        command = [sys.executable, "-m", facts_module.__name__]
        try:
            ended = subprocess.run(
                [*command, subject.text, str(path)],
                env={
                    **os.environ,
                    "KERAS_BACKEND": backend,
                    "PYTHONPATH": os.pathsep.join(
                        map(os.path.abspath, sys.path)
                    ),
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=left,
            )
        except subprocess.TimeoutExpired:
            return {"late": "no time"}
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        return {"error": _why_it_died(subject, ended)}


def _why_it_died(subject, ended):
    lines = ended.stderr.strip().splitlines()
    if any("Timeout (" in line for line in lines):
        start = (
            f"{subject.name} hangs: it was not made and called in time. It was "
            "at"
        )
    else:
        last = lines[-1] if lines else "it said nothing"
        start = (
            f"{subject.name} ended its process with exit code "
            f"{ended.returncode}: {last}"
        )
    theirs = [
        line
        for line in lines
        if line.lstrip().startswith("File ") and is_theirs(line.split('"')[1])
    ]
    # The innermost frame comes first in these tracebacks.
    return "\n".join([start, *theirs[:5]])
