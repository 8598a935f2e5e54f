import dataclasses

import numpy as np
import pytest

import tasks
from tasks import arithmetic_ops
from test_tuning.my_problems import Square
from tuning.problems import registry
from tuning.problems.arithmetic import ArithmeticProblem
from tuning.problems.data import DataSettings
from tuning.problems.registry import find_problem
from tuning.problems.registry import open_problem
from tuning.study.cells import select_cells

TOLERANCE = 0.16


def open_arithmetic(operation="mul", **settings):
    return open_problem(
        f"arithmetic_ops/{operation}",
        "uniform",
        DataSettings(**settings),
        TOLERANCE,
    )


@pytest.mark.parametrize("task", ArithmeticProblem.task_names())
def test_arithmetic(task, data_dir):
    problem = open_problem(
        task,
        *find_problem(task).inputs_of(task),
        DataSettings(str(data_dir)),
        TOLERANCE,
    )
    assert problem.input_shapes == [(100,)] and problem.units == 1
    x, y = arithmetic_ops.load(task.split("/")[1], "extrapolation", data_dir)
    np.testing.assert_array_equal(problem.x("test"), x)
    np.testing.assert_array_equal(problem.label("test"), y)
    assert problem.x("train").max() <= 2 < problem.x("test").max()
    accuracy, trivial = problem.constant()
    assert not trivial and 0 <= accuracy < 0.5


def test_what_counts_as_success():
    problem = open_arithmetic("add")
    threshold = arithmetic_ops.success_threshold("add")
    assert problem.succeeded({"loss": 9.0, "error": threshold * 0.99}) is True
    assert problem.succeeded({"loss": 0.0, "error": threshold * 1.01}) is False
    assert problem.succeeded({"error": float("nan")}) is False


def test_training_goes_on_for_the_sake_of_extrapolation():
    """What every validation record is within tolerance of is not enough."""
    problem = open_arithmetic("add")
    goal = problem.goal(target=1.0)
    assert goal["monitor"] == "val_error" and goal["mode"] == "min"
    assert (
        0
        < goal["target"]
        < arithmetic_ops.success_threshold("add", "validation")
        < (TOLERANCE * problem.label("train").std()) ** 2
    )


def test_tolerance_is_in_standard_deviations():
    problem = open_arithmetic("mul")
    deviation = problem.label("train").std()
    metric, _ = problem.metrics()
    label = problem.label("train")[:100]
    for error, accuracy in ((0.9, 1.0), (1.1, 0.0)):
        metric.reset_state()
        metric.update_state(label, label + error * TOLERANCE * deviation)
        assert float(metric.result()) == accuracy


def test_fewer_training_records():
    problem = open_arithmetic(train_records=64)
    assert len(problem.x("train")) == len(problem.label("train")) == 64
    assert len(problem.x("validation")) > 64


def test_images(data_dir):
    data = DataSettings(str(data_dir), train_records=100)
    problem = open_problem("placed_digits/digit", "images", data, TOLERANCE)
    assert problem.input_shapes == [(20, 20, 1)] and problem.units == 10
    x, y = tasks.placed_digits.load("digit", "train", data_dir)
    records = {split: problem.records(split) for split in tasks.SPLITS}
    assert records == {"train": 100, "validation": 2_000, "test": 2_000}
    np.testing.assert_array_equal(problem.x("train"), x[:100])
    np.testing.assert_array_equal(problem.label("train"), y[:100])
    most = np.bincount(y[:100]).argmax()
    _, test = tasks.placed_digits.load("digit", "test", data_dir)
    assert problem.constant() == (np.mean(test == most), False)
    assert problem.succeeded({}) is None


def test_add_a_kind(monkeypatch):
    """One class, and its name among the kinds."""

    class Mine(Square):
        @classmethod
        def task_names(cls):
            return ("mine",)

    monkeypatch.setattr(registry, "KINDS", (*registry.KINDS, Mine))
    assert find_problem("mine") is Mine
    assert registry.task_names()[-1] == "mine"
    cells = select_cells(["mine"], None, ["dense"], ["relu"], [1], [0])
    assert {cell.inputs for cell in cells} == {"normal", "uniform"}
    with pytest.raises(ValueError, match="The inputs of mine are normal, unif"):
        select_cells(["mine"], ["random"], ["dense"], ["relu"], [1], [0])


def test_add_an_operation(monkeypatch, data_dir):
    operation = dataclasses.replace(
        tasks.OPERATIONS["elementwise_add"],
        name="difference",
        function=np.subtract,
        inputs=("many_hot",),
    )
    monkeypatch.setitem(tasks.OPERATIONS, "difference", operation)
    cells = select_cells(["all"], ["all"], ["multiply"], ["all"], ["all"], [0])
    assert [c.inputs for c in cells if c.task == "difference"] == ["many_hot"]
    data = DataSettings(str(data_dir), train_records=640)
    problem = open_problem("difference", "many_hot", data, TOLERANCE)
    a, b = (each[:] for each in problem.x("test"))
    np.testing.assert_array_equal(problem.label("test")(a, b), a - b)


def test_own_problems_are_problems():
    assert find_problem("test_tuning.my_problems:Square") is Square
    with pytest.raises(ValueError, match="should be a subclass of tuning.prob"):
        find_problem("json:dumps")
    with pytest.raises(ValueError, match="Cannot import task 'no.such:Thing'"):
        find_problem("no.such:Thing")


def test_data_sets_of_other_kinds_are_no_images():
    for task in ("arithmetic_ops/mull", "reasoning_ops/dot_random"):
        with pytest.raises(ValueError, match=f"Unknown task '{task}'"):
            find_problem(task)


def test_what_is_trained_together():
    """Labels of one width on the same records."""

    def together(task, inputs):
        return open_problem(task, inputs, DataSettings(), TOLERANCE).together

    assert together("dot", "random") == together("reduce_sum", "random")
    assert together("dot", "random") != together("dot", "many_hot")
    assert together("dot", "random") != together("concat", "random")
    assert together("arithmetic_ops/add", "uniform") != together(
        "arithmetic_ops/mul", "uniform"
    )


def test_the_best_constant_is_kept_with_the_data(data_dir, monkeypatch):
    def constant():
        data = DataSettings(str(data_dir), train_records=640)
        problem = open_problem("logical_or", "many_hot", data, TOLERANCE)
        return problem.constant(), problem.constant_loss()

    first = constant()
    monkeypatch.setattr("tuning.problems.reasoning.judge_constant", None)
    assert constant() == first
