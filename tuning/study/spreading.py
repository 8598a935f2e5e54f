"""Fewer jobs than processors, made into more."""

import dataclasses


def spread(jobs, count):
    """Returns more jobs that do the same: one per cell, or parts of searches.

    Args:
        jobs: List of `Job`s.
        count: How many jobs there should be, at least, if there can be.
    """
    jobs = [
        dataclasses.replace(job, cells=(cell,))
        for job in jobs
        for cell in job.cells
    ]
    share, rest = divmod(count, len(jobs))
    return [
        part
        for number, job in enumerate(jobs)
        for part in job.parts(share + (number < rest))
    ]


class Parts:
    """The results so far of searches that are divided among several jobs.

    Args:
        jobs: List of `Job`s.
    """

    def __init__(self, jobs):
        self._rates = {
            job.cells: set(job.protocol.learning_rates)
            for job in jobs
            if job.rates is not None
        }
        self._found = {}

    def found(self, job, found):
        """Returns the jobs that can be run now that a part has ended."""
        self._rates[job.cells] -= set(job.rates)
        if job.cells in self._found:
            found.merge(self._found[job.cells])
        self._found[job.cells] = found
        if self._rates[job.cells]:
            return []
        return [dataclasses.replace(job, rates=None, found=found)]
