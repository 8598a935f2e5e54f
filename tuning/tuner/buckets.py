"""Trials that can be trained together, and threads to train them in."""

import collections
import concurrent.futures

import keras

from tuning.population.architecture import Architecture
from tuning.population.architecture import build_as_fit_does
from tuning.tuner.fit_arguments import OneByOne


def group(asked, arguments):
    """Puts trials together that have one architecture and ask for the same.

    Args:
        asked: List of pairs of a trial and its models.
        arguments: Dictionary of trials' ids and a list of `FitArguments`, or
            the exception raised instead; none where a subclass trains.

    Returns:
        A list of lists of such pairs; and a dictionary of the other trials'
        ids and reasons.
    """
    buckets, alone, agreed = collections.defaultdict(list), {}, []
    for trial, models in asked:
        values = trial.hyperparameters.values
        read = arguments.get(trial.trial_id)
        try:
            key = (
                None if read is None else _agreement(read, agreed),
                _architecture(models, read),
                values.get("tuner/epochs"),
                values.get("tuner/initial_epoch"),
            )
        except Exception as error:
            alone[trial.trial_id] = error
        else:
            buckets[key].append((trial, models))
    return list(buckets.values()), alone


def _agreement(read, agreed):
    """Returns a number that trials share which ask the same of `fit`."""
    if isinstance(read, Exception):
        raise read
    for number, other in enumerate(agreed):
        if all(each.agrees_with(other) for each in read):
            for each in read:
                # One copy of the data in memory is enough.
                each.train, each.validation = other.train, other.validation
            return number
    if not all(each.agrees_with(read[0]) for each in read):
        raise OneByOne("its executions are trained in different ways")
    agreed.append(read[0])
    return len(agreed) - 1


def _architecture(models, read):
    """Returns the models' key; builds those that wait for data."""
    if read is not None and not all(model.built for model in models):
        batch = read[0].example()
        for model in models:
            build_as_fit_does(model, *batch)
    return Architecture(models[0]).key


def side_by_side(function, buckets, workers, interrupted):
    """Calls a function for each bucket, in threads; yields what it returns.

    Args:
        function: Called with a bucket.
        buckets: List. Results come in its order.
        workers: Positive integer, the number of threads.
        interrupted: A `threading.Event`, set at Ctrl-C, where one has failed,
            and where nobody wants the rest: the others are waited for, and
            should look at it.
    """
    if workers == 1:
        yield from map(function, buckets)
        return
    pool = concurrent.futures.ThreadPoolExecutor(
        workers,
        # Keras keeps it per thread.
        initializer=keras.config.set_dtype_policy,
        initargs=(keras.config.dtype_policy(),),
    )
    try:
        for each in [pool.submit(function, each) for each in buckets]:
            yield each.result()
    except BaseException:
        interrupted.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
