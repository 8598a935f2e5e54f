"""Coloured tables: networks × tasks, and networks × learning rates."""

import math

import numpy as np

from tuning.reporting.elements import element
from tuning.reporting.elements import show

# From the worst to the best: black text can be read on all of them.
_ORANGE, _WHITE, _BLUE = (253, 174, 107), (255, 255, 255), (107, 174, 214)
# The least loss that is told apart; below it, float32 has nothing to say.
FLOOR = 1e-12


def colour(share):
    """Returns a colour: orange at −1, white at 0, blue at 1."""
    share = min(max(share, -1), 1)
    end = _ORANGE if share < 0 else _BLUE
    mixed = (
        round(start + abs(share) * (stop - start))
        for start, stop in zip(_WHITE, end, strict=True)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)


def scores(cells, task_names, variants, marks):
    """Returns the table of networks × tasks on one kind of inputs.

    A cell holds both scores; the page shows one of them.

    Args:
        cells: Data frame as `tuning.reporting.tables.over_seeds` returns it,
            of these inputs.
        task_names: The columns.
        variants: Data frame of networks, depths and activations: the rows.
        marks: Dictionary from tasks to what stands after their names.
    """
    head = element("tr", element("th", "network"))
    for name in task_names:
        head.append(element("th", element("span", name + marks.get(name, ""))))
    known = {
        (*key, cell.task): cell
        for key, cell in zip(
            cells[["network", "depth", "activation"]].itertuples(
                index=False, name=None
            ),
            cells.itertuples(),
            strict=True,
        )
    }
    body = element("tbody")
    for key in variants.itertuples(index=False, name=None):
        line = element("tr", element("th", " ".join(map(str, key))))
        line.extend(_score(known.get((*key, name))) for name in task_names)
        body.append(line)
    return _heat_map(head, body)


def _score(cell):
    if cell is None:
        return element("td", "–")
    if cell.seeds == 0:
        return element("td", "failed", class_="failed")
    skill = "" if np.isnan(cell.skill) else show(cell.skill, "{:.2f}")
    style = f"--accuracy:{colour(cell.accuracy)}"
    if skill:
        style += f";--skill:{colour(cell.skill)}"
    kinds = ["learned"] * cell.learned + ["trivial"] * cell.trivial
    return element(
        "td",
        element("span", skill or "–", class_="skill"),
        element("span", show(cell.accuracy, "{:.3f}"), class_="accuracy"),
        style=style,
        class_=" ".join(kinds),
    )


def losses(trials, results):
    """Returns the table of networks × learning rates of one problem.

    Args:
        trials: Data frame of the trials of a problem.
        results: Data frame of its results, for the rates that were chosen.
    """
    trials = trials[trials.status != "failed"]
    good = (trials.status == "done") & np.isfinite(trials.loss)
    logs = np.log10(trials.loss.where(good).clip(lower=FLOOR))
    variant = ["network", "depth", "activation"]
    means = (
        trials.assign(log=logs)
        .groupby([*variant, "learning_rate"])
        .log.mean()
        .unstack()
    )
    low = means.min(axis=None)
    # Beyond the loss of an untrained network, which that at the lowest rate is
    # close to, all are equally bad.
    first = means.iloc[:, 0]
    high = first.max() if first.notna().any() else means.max(axis=None)
    chosen = set(
        results[[*variant, "learning_rate"]].itertuples(index=False, name=None)
    )
    head = element("tr", element("th", "network"))
    head.extend(element("th", f"{rate:g}") for rate in means.columns)
    body = element("tbody")
    for key, row in means.iterrows():
        line = element("tr", element("th", " ".join(map(str, key))))
        for rate, log in row.items():
            kind = "chosen" if (*key, rate) in chosen else ""
            if math.isnan(log):
                line.append(element("td", "×", class_=kind))
                continue
            share = (high - log) / (high - low) if high > low else 0
            line.append(
                element(
                    "td",
                    f"{10**log:.2g}",
                    style=f"background:{colour(share)}",
                    class_=kind,
                )
            )
        body.append(line)
    return _heat_map(head, body)


def _heat_map(head, body):
    return element(
        "div",
        element("table", element("thead", head), body, class_="heat"),
        class_="scroll",
    )
