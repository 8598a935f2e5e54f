"""Makes the known layers' results, which every card is compared with.

    KERAS_BACKEND=jax python -m tuning.cards.make_known [LAYER ...]

asks layers, all of them unless some are named, and adds them to `known.json`.
Those of depthwise convolutions are made on torch, as JAX takes ten times as
long for these on a processor.
Those that are there already stay, so that the same command resumes what was
stopped. A row depends on the steps of `tuning.cards.asking.Settings`, and on no
time limit: a machine that does other work makes the same rows, later.
"""

import collections
import dataclasses
import datetime
import json
import math
import pathlib
import sys

import keras

from tuning.cards.asking import Settings
from tuning.cards.asking import groups
from tuning.cards.card import RIVALS
from tuning.cards.known import PATH
from tuning.cards.known import comparable
from tuning.cards.report import Found
from tuning.cards.report import conclude
from tuning.cards.running import Job
from tuning.cards.running import run_job
from tuning.cards.subjects import subject_of
from tuning.networks.layers import LAYERS
from tuning.study.device import device_name
from tuning.study.imports import hide_tensorflow
from tuning.study.workers import run_jobs

# Perceptrons of two layers, of which one has about as many parameters as any
# layer that is asked.
PERCEPTRONS = tuple(
    f"tuning.cards.others:mlp hidden_units={8 * 2**i}" for i in range(10)
)
# Beside those of `kmul.layers`, as they are by default: layers of Keras, and
# forms of `kmul`'s.
OTHERS = (
    "keras.layers:Dense",
    "keras.layers:Conv2D",
    "keras.layers:Multiply",
    "keras.layers:Add",
    "keras.layers:Dot axes=1",
    "tuning.cards.others:einsum_dense",
    "tuning.cards.others:PairAttention",
    "multiplicative_interaction form=low_rank,rank=16",
    "multiplicative_interaction form=diagonal",
    "multiplicative_interaction form=scalar",
    "gated_dense gate_activation=linear",
    "gated_dense gate_activation=silu",
    "polynomial_dense form=ncp",
    "film residual=False",
    "polynomial_block_2d form=regularized",
)


def merge(made, layer, path=PATH):
    """Adds a layer to a file, in the place of one of its name.

    Layers there that were asked something else are dropped.

    Args:
        made: Dictionary of how it was made, `settings` among it.
        layer: Dictionary, as `tuning.cards.report.conclude` returns it.
        path: The file.
    """
    path = pathlib.Path(path)
    layers = {}
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        # As JSON both: a tuple is a list there.
        settings = json.loads(json.dumps(made["settings"]))
        if before["made"].get("settings") == settings:
            layers = {each["name"]: each for each in before["layers"]}
    layers[layer["name"]] = {
        "name": layer["name"],
        "kind": layer["kind"],
        # A row made by another one compares but for its step time.
        "backend": keras.config.backend(),
        "cost": {
            key: round(value, 2) if key == "step_time" else value
            for key, value in layer["cost"].items()
        },
        "seeds": {
            answer["question"]: [
                # No worse than the best constant.
                round(max(seed["skill"], 0), 3)
                for seed in answer["seeds"]
            ]
            for answer in layer["answers"]
        },
    }
    # A layer a line, so that a change of one is a change of its line.
    lines = ",\n".join(
        json.dumps(layers[name], ensure_ascii=False) for name in sorted(layers)
    )
    text = json.dumps(made, ensure_ascii=False)
    path.write_text(
        f'{{"made": {text},\n"layers": [\n{lines}\n]}}\n', encoding="utf-8"
    )


def ask_all(subjects, settings, path=PATH):
    """Asks layers one after the other, and writes each when it is done."""
    made = {
        "date": datetime.date.today().isoformat(),
        "keras": keras.__version__,
        "device": device_name(),
        "settings": dataclasses.asdict(settings),
    }
    jobs = [
        Job(subject, group, settings, math.inf)
        for subject in subjects
        for group in (None, *groups(subject.kind))
    ]
    missing = collections.Counter(job.subject.name for job in jobs)
    found = {name: Found() for name in missing}
    for job, kind, content in run_jobs(jobs, run_job):
        mine = found[job.subject.name]
        mine.add(job, kind, content)
        if kind not in ("finished", "error"):
            continue
        missing[job.subject.name] -= 1
        if missing[job.subject.name]:
            continue
        if mine.left_out:
            print(f"{job.subject.name}: {mine.left_out}", flush=True)
            continue
        layer = conclude(job.subject, mine, {}, settings)
        merge(made, layer, path)
        print(f"{layer['name']}: {layer['verdict']}", flush=True)


def main(texts):
    hide_tensorflow()
    done = {
        each["name"]
        for kind in RIVALS
        for each in comparable(kind, dataclasses.asdict(Settings()))
    }
    subjects = map(subject_of, texts or (*OTHERS, *LAYERS, *PERCEPTRONS))
    ask_all([each for each in subjects if each.name not in done], Settings())


if __name__ == "__main__":
    main(sys.argv[1:])
