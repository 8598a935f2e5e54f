"""The screen of a search while it runs, and when it is done."""

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
    "task",
    "inputs",
    "network",
    "activation",
    "depth",
    "seed",
    "accuracy",
    "constant_accuracy",
    "skill",
    "learning_rate",
    "steps",
    "seconds",
    "status",
)


def open_console():
    """Returns a console that prints text as it is.

    Names and messages come from anywhere: what looks like markup in them is
    none.
    """
    return rich.console.Console(markup=False, highlight=False)


class Progress:
    """A live display of a study's jobs.

    Args:
        console: A `rich.console.Console`.
        cells: List of the cells to be run.
        protocol: The `tuning.study.protocol.Protocol` they are run by.
    """

    def __init__(self, console, cells, protocol):
        self._console = console
        self._cells = len(cells)
        self._done = 0
        self._best = None
        self._trials = {}
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}", markup=False),
            rich.progress.BarColumn(),
            rich.progress.TaskProgressColumn(),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("left"),
            rich.progress.TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
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
                description=(
                    f"  {job.name}, depth {last.depth}: trial "
                    f"{self._trials[job]}, rate {last.learning_rate:g}"
                ),
            )
        elif kind == "steps":
            self._bar.advance(self._all, content)
            self._bar.advance(self._running[job], content)
        elif kind == "result":
            self._done += 1
            self._show_result(content)
            self._bar.update(self._all, description=self._summary())
        elif kind in ("finished", "error"):
            self._bar.remove_task(self._running.pop(job))

    def _summary(self):
        text = f"{self._done}/{self._cells} cells"
        if self._best is None:
            return text
        return (
            f"{text}, best so far {self._best.accuracy:.4f} "
            f"{self._best.network}"
        )

    def _show_result(self, row):
        if row.status == Status.FAILED:
            self._console.print(
                f"{row.cell}: failed: {row.message}", style="red"
            )
            return
        self._console.print(
            f"{row.cell}: accuracy {row.accuracy:.4f} after {row.steps:,} "
            f"steps at rate {row.learning_rate:g}"
        )
        if self._best is None or row.accuracy > self._best.accuracy:
            self._best = row


def results_table(rows):
    """Returns a table of results, the most accurate first.

    What is the same in every row stands in the title.

    Args:
        rows: List of `tuning.study.rows.Result`s.
    """
    rows = sorted(
        rows, key=lambda row: 1 if row.accuracy is None else -row.accuracy
    )
    known = columns(Result)
    texts = {
        name: [known[name].show(getattr(row, name)) for row in rows]
        for name in SHOWN
    }
    same = [
        name
        for name in ("task", "inputs", "activation", "seed", "status")
        if len(set(texts[name])) == 1
    ]
    table = rich.table.Table(
        box=rich.box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=", ".join(
            f"{known[name].heading} {texts[name][0]}" for name in same
        ),
    )
    shown = [name for name in SHOWN if name not in same]
    for name in shown:
        table.add_column(
            known[name].heading,
            justify="right" if known[name].is_number else "left",
            # What does not fit is broken, never cut off.
            overflow="fold",
            min_width=max(map(len, texts[name]))
            if name in ("task", "network")
            else None,
        )
    for row in zip(*(texts[name] for name in shown), strict=True):
        table.add_row(*row)
    return table
