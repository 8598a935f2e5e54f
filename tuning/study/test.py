"""The test of a job's networks: what their scores are worth."""

import functools

import keras
import numpy as np

from tuning.study.device import device_name
from tuning.study.model import chosen
from tuning.study.rows import Result
from tuning.study.rows import Status


def to_result(cell, hp, problem, member, trained, seconds, protocol):
    """Returns the `Result` of a cell.

    Args:
        cell: The cell.
        hp: The hyperparameters that were best.
        problem: The problem it learned.
        member: Its Keras model.
        trained: The `tuning.study.train.Trained`.
        seconds: Duration of its search and training.
        protocol: The `Protocol` it was trained by.
    """
    constant, trivial = _judge_constant(problem)
    constant_loss = _constant_loss(problem)
    accuracy, loss = trained.scores["accuracy"], trained.scores["loss"]
    success = problem.succeeded(trained.scores)
    return Result.of(
        cell,
        accuracy=accuracy,
        loss=loss,
        constant_accuracy=constant,
        skill=(accuracy - constant) / (1 - constant) if constant < 1 else None,
        learning_rate=hp.get("learning_rate"),
        steps=trained.steps,
        seconds=seconds,
        parameters=member.count_params(),
        backend=keras.config.backend(),
        device=device_name(),
        status=Status.TRIVIAL if trivial else Status.DONE,
        message="" if np.isfinite(loss) else "the loss is not finite",
        choices=chosen(cell, hp),
        success=None if success is None else int(success),
        relative_loss=loss / constant_loss if constant_loss else None,
        protocol=protocol.name,
        accuracy_with_skips=trained.scores.get("accuracy_with_skips"),
    )


@functools.lru_cache(maxsize=64)
def _judge_constant(problem):
    return problem.constant()


@functools.lru_cache(maxsize=64)
def _constant_loss(problem):
    return problem.constant_loss()
