"""Trains all layers, and times a training step of each."""

import time

from experiments.which_layer import parts
from tuning.networks.registry import find_network
from tuning.population.population import Population
from tuning.problems.registry import open_problem
from tuning.reporting.tables import to_frame
from tuning.study.model import hyperparameters
from tuning.study.progress import Progress
from tuning.study.rows import Result
from tuning.study.study import Settings
from tuning.study.study import Study
from tuning.study.workers import run_jobs


def train(cells, directory, data, console):
    """Trains the missing cells; returns the results of all in a data frame."""
    study = Study(directory, cells, Settings(parts.PROTOCOL, data))
    with study.open():
        study.prepare()
        with Progress(console, study.missing(), parts.PROTOCOL) as progress:
            for event in study.run():
                progress.update(*event)
        return to_frame(study.rows(), Result)


def time_steps(job, send):
    """A job that times a layer's steps in turns with the baseline's."""
    part, network, data = job
    problem = open_problem(*part.timed, data, parts.PROTOCOL.tolerance)
    x, y = problem.x("train"), problem.label("train")
    hp = hyperparameters(
        depth=part.depth, activation="linear", seed=0, learning_rate=1e-4
    )
    both = [
        Population([find_network(name)(problem).build(hp)])
        for name in (network, part.baseline)
    ]
    times = []
    for _ in range(parts.ROUNDS + 1):
        for population in both:
            started = time.perf_counter()
            population.fit(x, y, steps_per_epoch=part.timed_steps)
            times.append(time.perf_counter() - started)
    # The first round compiles.
    mine, baseline = min(times[2::2]), min(times[3::2])
    send("ratio", mine / baseline)


def time_all(part, networks, data):
    """Returns the ratio of each network's time per step to the baseline's."""
    open_problem(*part.timed, data, parts.PROTOCOL.tolerance).records("train")
    jobs = [(part, name, data) for name in networks]
    ratios = {}
    for (_, network, _), kind, content in run_jobs(jobs, time_steps):
        if kind == "error":
            raise RuntimeError(f"{network}:\n{content}")
        if kind == "ratio":
            ratios[network] = content
    return ratios
