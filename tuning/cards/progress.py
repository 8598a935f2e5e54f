"""Progress on screen while a card is made."""

import time

import rich.progress

from tuning.study.progress import bar_columns


class Progress:
    """A bar of the training steps, with the time left.

    Args:
        console: A `rich.console.Console`.
        started: The `time.monotonic()` from which the budget counts.
        budget: Seconds, or None without a limit.
    """

    def __init__(self, console, started, budget):
        self._console = console
        self._end = None if budget is None else started + budget
        self._started = time.monotonic()
        self._bar = rich.progress.Progress(
            *bar_columns(),
            rich.progress.TextColumn("{task.fields[left]}"),
            console=console,
            expand=True,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, left="")
        self._done = self._total = 0

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *arguments):
        self._bar.__exit__(*arguments)

    def tell(self, event, content):
        """Shows an event of `tuning.cards.report.report_card`."""
        if event == "stage":
            self._bar.update(self._task, description=content)
        elif event == "error":
            self._console.print(f"error: {content}", markup=False)
        elif event == "jobs":
            self._started = time.monotonic()
            self._total = sum(job.steps for job in content)
            self._bar.update(
                self._task, description="training", total=self._total
            )
        elif event == "steps":
            self._done += content[1]
            self._bar.update(
                self._task, completed=self._done, left=self._left()
            )
        elif event in ("answers", "cost"):
            job, _ = content
            name = job.group.name if job.group else "step time"
            self._bar.update(
                self._task, description=f"{job.subject.name}: {name} done"
            )

    def _left(self):
        """Returns the time left: of the training, and at most of the budget."""
        now = time.monotonic()
        seconds = (now - self._started) * (self._total / self._done - 1)
        if self._end is not None:
            seconds = min(seconds, max(self._end - now, 0))
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"
