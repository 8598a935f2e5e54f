"""The screen of a search: while it runs, and when it is done."""

import math

import rich.box
import rich.console
import rich.progress
import rich.table

from tuning.study.cells import count_steps
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import columns

# The columns of the table of results, in their order there.
SHOWN = (
    "network",
    "activation",
    "depth",
    "seed",
    "accuracy",
    "skill",
    "learning_rate",
    "steps",
    "seconds",
    "status",
)
# Characters of a line of a name, at least.
NARROWEST_NAME = 24


class _Console(rich.console.Console):
    def on_broken_pipe(self):
        # Rich would end the search as if a cell had failed.
        raise BrokenPipeError


def open_console():
    """Returns a console that prints text as it is.

    Names and messages come from anywhere: what looks like markup in them is
    none. Lines are broken for a terminal only.
    """
    console = _Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    return console


def bar_columns():
    """Returns the columns of a bar: its text, itself, share and seconds."""
    return (
        rich.progress.TextColumn(
            "{task.description}",
            markup=False,
            # The others keep their width.
            table_column=rich.table.Column(
                ratio=1, no_wrap=True, overflow="ellipsis"
            ),
        ),
        rich.progress.BarColumn(bar_width=16),
        rich.progress.TaskProgressColumn(),
        rich.progress.TimeElapsedColumn(),
    )


class Progress:
    """A live display of a study's jobs, and a line for each finished cell.

    Args:
        console: A `rich.console.Console`.
        cells: List of the cells to be run.
        protocol: The `tuning.study.protocol.Protocol` they are run by.
    """

    def __init__(self, console, cells, protocol):
        self._console = console
        self._cells = len(cells)
        self._done = 0
        self._best = {}
        self._trials = {}
        self._warnings = set()
        self._bar = rich.progress.Progress(
            *bar_columns(),
            rich.progress.TextColumn("left"),
            rich.progress.TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            expand=True,
            # A pipe gets the lines alone.
            disable=not console.is_terminal,
            # Speed over the last minutes, as jobs differ in it.
            speed_estimate_period=300,
        )
        self._all = self._bar.add_task(
            self._summary(),
            total=sum(count_steps(cell, protocol) for cell in cells),
        )
        self._running = {}

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *arguments):
        self._bar.__exit__(*arguments)

    def update(self, job, kind, content):
        """Shows an event of `tuning.study.study.Study.run`."""
        if job not in self._running:
            self._trials[job] = 0
            self._running[job] = self._bar.add_task(
                f"  {job.name}", total=job.steps
            )
        if kind == "trials":
            self._trials[job] += len(content)
            last = content[-1]
            self._bar.update(
                self._running[job],
                # The name may be cut off.
                description=(
                    f"  trial {self._trials[job]}, rate "
                    f"{last.learning_rate:g}: {job.name}, depth {last.depth}"
                ),
            )
        elif kind == "steps":
            self._bar.advance(self._all, content)
            self._bar.advance(self._running[job], content)
        elif kind == "result":
            self._done += 1
            self._show_result(content)
            self._bar.update(self._all, description=self._summary())
        elif kind == "warning" and content not in self._warnings:
            self._warnings.add(content)
            self._console.print(content, style="yellow")
        elif kind in ("finished", "error"):
            self._bar.remove_task(self._running.pop(job))

    def _summary(self):
        return f"{self._done}/{self._cells} cells"

    def _show_result(self, row):
        if row.status == Status.FAILED:
            self._console.print(
                f"{row.cell}: failed: {row.message}", style="red"
            )
            return
        text = (
            f"{row.cell}: accuracy {row.accuracy:.4f} after {row.steps:,} "
            f"steps at rate {row.learning_rate:g}"
        )
        problem = row.task, row.inputs
        if row.accuracy > self._best.get(problem, -math.inf):
            if problem in self._best:
                text += ", the best so far"
            self._best[problem] = row.accuracy
        self._console.print(text)


def results_table(rows, width=math.inf):
    """Returns a table of results, by problem, the most accurate first.

    Problems on which a constant is nearly always right come last. What is the
    same in every row stands in the title.

    Args:
        rows: List of `tuning.study.rows.Result`s.
        width: How many characters fit. Where they are few, the seconds are
            left out.
    """
    known = columns(Result)
    problems = {}
    for row in sorted(
        rows, key=lambda row: 1 if row.accuracy is None else -row.accuracy
    ):
        problems.setdefault((row.task, row.inputs), []).append(row)
    texts = {
        name: [known[name].show(getattr(row, name)) for row in rows]
        for name in SHOWN
    }
    same = [
        name for name in ("activation", "seed") if len(set(texts[name])) == 1
    ]
    hidden = same
    if all(row.status != Status.FAILED for row in rows):
        hidden = [*same, "status"]
    widths = {
        name: max(map(len, [known[name].heading, *texts[name]])) + 1
        for name in SHOWN
        if name not in hidden
    }
    if sum(widths.values()) - widths["network"] + NARROWEST_NAME > width:
        del widths["seconds"]
    table = rich.table.Table(
        box=rich.box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=", ".join(
            f"{known[name].heading} {texts[name][0]}" for name in same
        ),
        title_justify="left",
    )
    for name in widths:
        table.add_column(
            known[name].heading,
            justify="right" if known[name].is_number else "left",
            # A name that does not fit is broken, never cut off, and a number
            # is not broken.
            no_wrap=name != "network",
            overflow="fold",
        )
    for problem in sorted(
        problems, key=lambda each: (_is_trivial(problems[each]), each)
    ):
        found, heading = problems[problem], " on ".join(problem)
        if _is_trivial(found):
            heading += ", trivial"
        table.add_row(heading, style="bold")
        for row in found:
            cells = [known[name].show(getattr(row, name)) for name in widths]
            table.add_row(f"  {cells[0]}", *cells[1:])
        constant = found[0].constant_accuracy
        if constant is not None:
            text = known["constant_accuracy"].show(constant)
            cells = {"network": "  best constant", "accuracy": text}
            table.add_row(*(cells.get(name, "") for name in widths))
        table.add_section()
    return table


def _is_trivial(rows):
    return any(row.status == Status.TRIVIAL for row in rows)
