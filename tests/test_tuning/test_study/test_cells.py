import collections
import re

import pytest

import tasks
from tuning.study.cells import count_steps
from tuning.study.cells import count_trials
from tuning.study.cells import passed_over
from tuning.study.cells import select_cells
from tuning.study.protocol import Protocol


def select(
    tasks=("logical_xor",),
    inputs=("many_hot",),
    networks=("all",),
    activations=("all",),
    depths=("all",),
    seeds=(0,),
):
    return select_cells(tasks, inputs, networks, activations, depths, seeds)


def test_the_networks_of_the_article():
    cells = select()
    counts = collections.Counter(cell.network for cell in cells)
    assert counts == {
        "dense": 15,
        "dense_residual": 10,
        "multiply": 1,
        "multiply_simple": 1,
    }


def test_the_whole_grid():
    cells = select(["all"], ["all"])
    assert len(tasks.PAIRS) == 35
    assert len(cells) == len(set(cells)) == 27 * 35 == 945
    assert {(cell.task, cell.inputs) for cell in cells} == set(tasks.PAIRS)


def test_the_default():
    cells = select(activations=["linear", "relu"])
    assert len(cells) == 2 * 3 + 2 * 2 + 2


def test_seeds():
    cells = select(networks=["multiply"], seeds=range(3, 6))
    assert [cell.seed for cell in cells] == [3, 4, 5]


def test_blanks_make_no_other_network():
    """A table has one blank each, and such a cell would never be done."""
    (cell,) = select(networks=["  multiply "], tasks=["logical_xor "])
    assert (cell.network, cell.task) == ("multiply", "logical_xor")


def test_depths():
    cells = select(networks=["dense", "dense_residual"], depths=[1, 2])
    assert {(c.network, c.depth) for c in cells} == {
        ("dense", 1),
        ("dense", 2),
        ("dense_residual", 2),
    }


def test_all_inputs_of_one_task():
    cells = select(["one_hot_sum"], ["all"], ["multiply"])
    assert [cell.inputs for cell in cells] == ["one_hot"]
    cells = select(["all"], ["random"], ["multiply"])
    assert "logical_xor" not in {cell.task for cell in cells}


def test_arithmetic():
    cells = select(["arithmetic_ops"], None, ["dense", "nmu"], ["linear"])
    assert {cell.inputs for cell in cells} == {"uniform"}
    assert [cell.task for cell in cells if cell.depth == 3] == [
        f"arithmetic_ops/{name}" for name in tasks.arithmetic_ops.OPERATIONS
    ]
    assert {c.depth for c in cells if c.network == "nmu"} == {1, 2}


def test_images():
    cells = select(["placed_digits", "mnist"], None)
    assert {(cell.task, cell.inputs) for cell in cells} == {
        ("placed_digits", "images"),
        ("mnist", "images"),
    }
    assert {cell.network for cell in cells} == {
        "cnn",
        "cnn_residual",
        "cnn_attention",
    }
    assert {cell.depth for cell in cells} == set(range(2, 9))


def test_vectors_and_images_together():
    cells = select(["dot", "placed_digits/digit"], ["all"])
    kinds = {(c.inputs == "images", c.network.startswith("cnn")) for c in cells}
    assert kinds == {(False, False), (True, True)}


def test_pairs_without_a_meaning_are_passed_over_with_a_line():
    names = ["logical_xor", "dot", "arithmetic_ops", "all"]
    cells = select(names, ["random"], ["multiply"])
    assert {cell.task for cell in cells} == {
        cell.task for cell in select(["all"], ["random"], ["multiply"])
    }
    xor, arithmetic = passed_over(names, ["random", "all"])
    assert xor.startswith("Passed over: logical_xor makes no sense on random")
    assert arithmetic.startswith("Passed over: The inputs of arithmetic_ops/")
    assert passed_over(names, None) == []


def test_trials_and_steps():
    protocol = Protocol(search_steps=10, train_steps=70)
    (cell,) = select(networks=["multiply"])
    assert count_trials(cell, protocol) == 9
    assert count_steps(cell, protocol) == 9 * 10 + 70
    cell = select(["placed_digits"], None, ["cnn_attention"], ["relu"], [2])[0]
    assert count_trials(cell, protocol) == 9 * 4 * 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"tasks": ["logical_xr"]},
            "Unknown task 'logical_xr'. Did you mean logical_xor",
        ),
        (
            {"inputs": ["many"]},
            "Unknown inputs 'many'. Did you mean many_hot? Known: one_hot, ",
        ),
        (
            {"activations": ["rely"]},
            "Unknown activation 'rely'. Did you mean relu",
        ),
        ({"networks": ["dens"]}, "Unknown network 'dens'. Did you mean dense"),
        (
            {"networks": ["nothing.of:mine"]},
            "Cannot import network 'nothing.of:mine': No module named",
        ),
        (
            {"networks": ["keras:Nothing"]},
            "Cannot import network 'keras:Nothing': module 'keras' has no",
        ),
        (
            {"networks": ["keras.ops:add"]},
            "The network 'keras.ops:add' should be a Keras layer class or a "
            "KerasTuner HyperModel class. Received: <function add",
        ),
        *(
            ({name: ["all", "foo"]}, f"Unknown {option} 'foo'.")
            for name, option in (
                ("tasks", "task"),
                ("inputs", "inputs"),
                ("networks", "network"),
                ("activations", "activation"),
                ("depths", "depth"),
            )
        ),
        (
            {"tasks": ["placed_digit"]},
            "Unknown task 'placed_digit'. Did you mean placed_digits",
        ),
        (
            {"tasks": ["placed_digits/digits"]},
            "Unknown task 'placed_digits/digits'. Did you mean placed_digits",
        ),
        (
            {"tasks": ["placed_digits"]},
            "The inputs of placed_digits are images. Received: inputs=many_hot",
        ),
        (
            {"networks": ["cnn"]},
            "The network cnn takes images, and no task that was named has ",
        ),
        (
            {
                "tasks": ["placed_digits"],
                "inputs": None,
                "networks": ["all", "dense"],
            },
            "The network dense takes vectors, and no task that was named has ",
        ),
        (
            {"tasks": ["logical_xor"], "inputs": ["random"]},
            "logical_xor makes no sense on random: a continuous value is "
            "practically never zero",
        ),
        (
            {"networks": ["multiply"], "activations": ["relu"]},
            "None of the networks multiply has one of the depths all with one "
            "of the activations relu.",
        ),
        (
            {"networks": ["dense"], "depths": [4]},
            "None of the networks dense has one of the depths 4 with one of ",
        ),
        (
            {"networks": ["dense"], "depths": [1, 9]},
            "Unknown depth 9. Known: 1, 2, 3, 4, 5, 6, 7, 8, all.",
        ),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        select(**arguments)
