"""The table and the page."""

import csv
import dataclasses

from examples.layer_attention import claims
from examples.layer_attention import figures
from examples.layer_attention.statistics import estimate

CURVES = ("gradient", "contribution", "attention")
LISTS = ("corrupted", "steps", *CURVES)


def write(runs, settings, how, directory):
    """Writes results.csv, curves.csv, the figures and report.md.

    Args:
        runs: List of `Run`.
        settings: `Settings`.
        how: Sentence that says on what it was run.
        directory: `pathlib.Path` of an existing directory.
    """
    _write_results(runs, directory / "results.csv")
    _write_curves(runs, directory / "curves.csv")
    sorted_runs = claims.Runs(runs)
    names = figures.draw_all(sorted_runs, directory)
    page = _page(sorted_runs, settings, how, names)
    (directory / "report.md").write_text(page)


def _write_results(runs, path):
    names = [
        field.name
        for field in dataclasses.fields(runs[0])
        if field.name not in LISTS
    ]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "mean_corrupted"])
        for run in runs:
            corrupted = sum(run.corrupted) / len(run.corrupted)
            writer.writerow([*(getattr(run, n) for n in names), corrupted])


def _write_curves(runs, path):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["network", "depth", "seed", "quantity", "step", "layer", "value"]
        )
        for run in runs:
            start = [run.network, run.depth, run.seed]
            for layer, value in enumerate(run.corrupted, 1):
                writer.writerow(
                    [*start, "corrupted", run.steps[-1], layer, value]
                )
            for name in CURVES:
                for step, row in zip(
                    run.steps, getattr(run, name) or [], strict=False
                ):
                    for layer, value in enumerate(row, 1):
                        writer.writerow([*start, name, step, layer, value])


def _page(runs, settings, how, figure_names):
    answers = claims.answers(runs)
    lines = [
        "# Attention over layers: the first test of a proposal",
        "",
        f"{how} Networks of at most {settings.budget:,} parameters, whose "
        f"convolutions ({settings.filters} filters, the first with stride 2) "
        "are the same at each depth, were trained to tell which of ten digits "
        f"is where ({settings.position_cells**2} cells) among "
        f"{settings.distractors} distractors: {settings.steps:,} steps of "
        f"{settings.batch_size} images, none seen twice, Adam at "
        f"{settings.learning_rate}, {len(settings.seeds)} seeds. ± is a 95 % "
        "interval over the seeds; differences are paired by seed.",
        "",
    ]
    if len(settings.seeds) < 5:
        lines += [
            "**A quick run: too few seeds and steps to conclude from.**",
            "",
        ]
    lines += ["| claim | |", "|---|---|"]
    lines += [f"| {each.claim} | **{each.verdict}** |" for each in answers]
    for number, (answer, name) in enumerate(
        zip(answers, figure_names, strict=True), 1
    ):
        lines += [
            "",
            f"## {number}. {answer.claim}",
            "",
            f"Tested as: {answer.test} Verdict: **{answer.verdict}**.",
            "",
            f"![{answer.claim}]({name})",
            "",
            "| | | seen |",
            "|---|---|---|",
        ]
        for finding in answer.findings:
            lines.append(
                f"| {finding.subject} | {finding.estimate.signed()} | "
                f"{'yes' if finding.seen else 'no'} |"
            )
    lines += [
        "",
        "## All networks",
        "",
        "| network | depth | both | digit | position | parameters "
        "| ms per step |",
        "|---|---|---|---|---|---|---|",
    ]
    for network in runs.networks:
        for depth in runs.depths:
            found = [
                str(estimate(runs.values(network, depth, name)))
                for name in ("accuracy", "digit_accuracy", "position_accuracy")
            ]
            parameters = runs.of(network, depth)[0].parameters
            milliseconds = runs.values(network, depth, "step_milliseconds")
            lines.append(
                f"| {network} | {depth} | {' | '.join(found)} | "
                f"{parameters:,} | {min(milliseconds):.1f} |"
            )
    return "\n".join(lines) + "\n"
