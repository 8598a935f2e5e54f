"""A report card, and the forms in which it is written."""

import functools
import json
import pathlib

import pandas as pd

from tuning.cards import verdict
from tuning.cards.asking import questions
from tuning.cards.known import comparable
from tuning.cards.known import perceptron_like

# What facts are called, in the order in which they are shown.
FACTS = {
    "finite": "finite outputs",
    "gradients": "finite gradients at 0",
    "saves": "saves and loads",
    "mixed precision": "mixed precision",
    "unknown sizes": "unknown sizes",
    "agrees": "same outputs",
}
RIVALS = {"vectors": "Dense", "images": "Conv2D"}


class Card:
    """The results of a report card.

    Args:
        layers: List of dictionaries, as `tuning.cards.report` makes them.
        made: Dictionary of how and when it was made.

    Attributes:
        layers: The same.
        made: The same.
    """

    def __init__(self, layers, made):
        self.layers = layers
        self.made = made

    @property
    def verdicts(self):
        """Dictionary of a sentence for each layer."""
        return {layer["name"]: layer["verdict"] for layer in self.layers}

    @functools.cached_property
    def neighbours(self):
        """Dictionary of the names of the nearest known layers."""
        found = {}
        for layer in self.layers:
            known = {
                each["name"]: each["scores"]
                for each in self.known(layer["kind"])
            }
            found[layer["name"]] = verdict.nearest(layer["scores"], known)
        return found

    def known(self, kind):
        """Returns the known layers of a kind, but for those of the card."""
        mine = {layer["name"] for layer in self.layers}
        return [
            each
            for each in comparable(kind, self.made["settings"])
            if each["name"] not in mine
        ]

    @property
    def kinds(self):
        """List of the kinds of the layers, `"vectors"` and `"images"`."""
        mine = {layer["kind"] for layer in self.layers}
        return [kind for kind in RIVALS if kind in mine]

    def beside(self, kind):
        """Returns the known layers to show in short.

        Those are Keras's, the perceptrons of about as many parameters, and the
        nearest.
        """
        mine = [each for each in self.layers if each["kind"] == kind]
        known = {each["name"]: each for each in self.known(kind)}
        likes = [perceptron_like(each, list(known.values())) for each in mine]
        names = [RIVALS[kind], *(each["name"] for each in likes if each)]
        for layer in mine:
            names += self.neighbours[layer["name"]]
        names = dict.fromkeys(name for name in names if name in known)
        return [known[name] for name in names][:5]

    @property
    def table(self):
        """Data frame of scores: a row for each question, a column a layer."""
        columns, rows = {}, {}
        for kind in self.kinds:
            for question in questions(kind):
                rows[question.key] = (question.heading, question.sign)
        for layer in self.layers:
            columns[layer["name"]] = layer["scores"]
        for kind in self.kinds:
            for layer in self.beside(kind):
                columns[layer["name"]] = layer["scores"]
        frame = pd.DataFrame(columns, index=list(rows), dtype=float)
        frame.index = pd.MultiIndex.from_tuples(
            rows.values(), names=["asked", "question"]
        )
        return frame

    @property
    def title(self):
        return f"Report card: {', '.join(self.verdicts)}"

    @property
    def about(self):
        """A sentence on how it was made."""
        made, settings = self.made, self.made["settings"]
        within = "without a limit"
        if made["budget"] is not None:
            within = f"of {made['budget']:g} allowed"
        return (
            f"Made on {made['date']} in {made['seconds']:.0f} seconds "
            f"({within}), {made['backend']} backend of Keras {made['keras']}, "
            f"{made['device']}. Vectors of {settings['width']}; "
            f"{settings['steps']:,} steps of {settings['batch_size']} records; "
            f"of {len(settings['learning_rates'])} learning rates, the best on "
            f"validation records; means of {settings['seeds']} seeds."
        )

    def cost_line(self, layer):
        """Returns parameters and step time in words, or an empty text."""
        cost = layer["cost"]
        if not cost:
            return ""
        line = (
            f"{cost['parameters']:,} parameters, "
            f"{cost['rival_parameters']:,} in keras.layers.{cost['rival']}"
        )
        if cost.get("step_time"):
            times = verdict.ratio(cost["step_time"])
            line = f"a training step takes {times} × {cost['rival']}; {line}"
        return line

    def facts(self, layer):
        """Returns the facts of a layer as a data frame, a column a backend."""
        columns = {}
        for backend, found in layer["facts"].items():
            reason = found.get("error", found.get("late", "")).splitlines()
            if reason:
                reason = reason[0]
                columns[backend] = {label: reason for label in FACTS.values()}
            else:
                columns[backend] = {
                    label: found.get(name, "–") for name, label in FACTS.items()
                }
        return pd.DataFrame(columns)

    def notes(self, layer):
        """Returns a line for each defect, and for each question left out."""
        notes = []
        for backend, found in layer["facts"].items():
            if "error" in found:
                notes.append(f"On {backend}: {found['error']}")
                continue
            if found.get("finite", "yes") != "yes":
                notes.append(f"Its outputs are {found['finite']}.")
            if found.get("random", "no") != "no":
                notes.append(f"It {found['random']}.")
        # Backends that agree say it once.
        notes = list(dict.fromkeys(notes))
        if layer["left out"]:
            left_out = "; ".join(
                f"{name} ({why})" for name, why in layer["left out"].items()
            )
            notes.append(f"Left out: {left_out}.")
        if not self.known(layer["kind"]):
            notes.append(
                "No known layer was asked the same, so none is beside it."
            )
        return notes

    def to_json(self):
        """Returns all of it as JSON text."""
        return json.dumps(
            {
                "made": self.made,
                "layers": [
                    {**layer, "nearest": self.neighbours[layer["name"]]}
                    for layer in self.layers
                ],
            },
            indent=1,
            ensure_ascii=False,
        )

    def to_markdown(self):
        """Returns the card as Markdown."""
        lines = [f"# {self.title}", ""]
        for layer in self.layers:
            lines += [f"**{layer['name']}**: {layer['verdict']}", ""]
            near = self.neighbours[layer["name"]]
            if near:
                lines.append(f"- Nearest known layers: {', '.join(near)}")
            if self.cost_line(layer):
                lines.append(f"- Cost: {self.cost_line(layer)}")
            for name, row in self.facts(layer).iterrows():
                each = [f"{backend} {what}" for backend, what in row.items()]
                same = row.nunique() == 1
                what = row.iloc[0] if same else ", ".join(each)
                lines.append(f"- {name[0].upper()}{name[1:]}: {what}")
            lines += [f"- {note.splitlines()[0]}" for note in self.notes(layer)]
            lines.append("")
        frame = self.table
        lines += [
            f"| | {' | '.join(frame.columns)} |",
            f"| --- |{' --: |' * len(frame.columns)}",
        ]
        for (heading, sign), row in frame.iterrows():
            cells = [_cell(score) for score in row]
            lines.append(f"| {sign}, {heading} | {' | '.join(cells)} |")
        return "\n".join(
            [
                *lines,
                "",
                "1 is perfect, 0 no better than the best constant; bold is 0.9 "
                f"or more. {self.about}",
                "",
            ]
        )

    def _repr_html_(self):
        from tuning.cards.page import body

        return body(self)

    def __repr__(self):
        return "\n".join(
            f"{name}: {sentence}" for name, sentence in self.verdicts.items()
        )

    def save(self, directory="."):
        """Writes `card.html`, `card.md`, `card.png` and `card.json`.

        Returns:
            A list of the paths.
        """
        from tuning.cards.drawing import draw
        from tuning.cards.page import page

        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, text in (
            ("card.json", self.to_json()),
            ("card.md", self.to_markdown()),
            ("card.html", page(self)),
        ):
            paths.append(directory / name)
            paths[-1].write_text(text, encoding="utf-8")
        paths.append(directory / "card.png")
        draw(self).savefig(paths[-1], dpi=160)
        return paths


def _cell(score):
    if pd.isna(score):
        return "–"
    text = verdict.rounded(score)
    return f"**{text}**" if score >= verdict.LEARNED else text
