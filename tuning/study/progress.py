"""What a search shows while it runs, and when it is done."""

import rich.box
import rich.live
import rich.progress
import rich.table


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
            rich.progress.TextColumn("{task.description}"),
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
            total=sum(cell.steps(protocol) for cell in cells),
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
                    f"  {job.name}, depth {last['depth']}: trial "
                    f"{self._trials[job]}, rate {last['learning_rate']:g}"
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
        best = "" if self._best is None else f", best so far {self._best}"
        return f"[bold]{self._done}/{self._cells} cells[/bold]{best}"

    def _show_result(self, row):
        name = (
            f"{row['task']} on {row['inputs']}: {row['network']}, depth "
            f"{row['depth']}, {row['activation']}"
        )
        if row["status"] == "failed":
            self._console.print(f"[red]{name}: failed: {row['message']}[/red]")
            return
        accuracy = row["accuracy"]
        self._console.print(
            f"{name}: accuracy {accuracy:.4f} after {row['steps']:,} steps at "
            f"rate {row['learning_rate']:g}",
            highlight=False,
        )
        if self._best is None or accuracy > float(self._best.split()[0]):
            self._best = f"{accuracy:.4f} {row['network']}"


COLUMNS = {
    "task": "task",
    "inputs": "inputs",
    "network": "network",
    "activation": "activation",
    "depth": "depth",
    "seed": "seed",
    "accuracy": "accuracy",
    "constant_accuracy": "constant",
    "skill": "skill",
    "learning_rate": "rate",
    "steps": "steps",
    "seconds": "seconds",
    "status": "status",
}
DIGITS = {"accuracy": 4, "constant_accuracy": 4, "skill": 3, "seconds": 0}


def results_table(rows):
    """Returns a table of results, the most accurate first.

    What is the same in every row stands in the title.

    Args:
        rows: List of rows of the results, all of them text.
    """
    rows = sorted(rows, key=lambda row: -float(row["accuracy"] or -1))
    same = {
        name
        for name in ("task", "inputs", "activation", "seed", "status")
        if len({row[name] for row in rows}) == 1
    }
    table = rich.table.Table(
        box=rich.box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=", ".join(
            f"{COLUMNS[name]} {rows[0][name]}"
            for name in COLUMNS
            if name in same
        ),
    )
    shown = [name for name in COLUMNS if name not in same]
    for name in shown:
        number = name in DIGITS or name in ("depth", "learning_rate", "steps")
        table.add_column(
            COLUMNS[name],
            justify="right" if number else "left",
            # What does not fit is broken, never cut off.
            overflow="fold",
            min_width=max(len(row[name]) for row in rows)
            if name in ("task", "network")
            else None,
        )
    for row in rows:
        table.add_row(
            *(
                f"{float(row[name]):.{DIGITS[name]}f}"
                if name in DIGITS and row[name]
                else row[name]
                for name in shown
            )
        )
    return table
