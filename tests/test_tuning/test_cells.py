import collections
import re

import pytest

import tasks
from tuning.cells import Cell
from tuning.cells import select_cells
from tuning.networks import ACTIVATIONS
from tuning.networks import NETWORKS

ALL_NETWORKS = list(NETWORKS)


def select(
    tasks=("logical_xor",),
    inputs=("many_hot",),
    networks=ALL_NETWORKS,
    activations=ACTIVATIONS,
    depths=None,
    seeds=(0,),
):
    return select_cells(
        list(tasks), list(inputs), networks, activations, depths, seeds
    )


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


def test_row_and_back():
    (cell,) = select(networks=["multiply"], seeds=[7])
    assert cell.row() == {
        "task": "logical_xor",
        "inputs": "many_hot",
        "network": "multiply",
        "depth": 1,
        "activation": "linear",
        "seed": 7,
    }
    text = {name: str(value) for name, value in cell.row().items()}
    assert Cell.of_row({**text, "accuracy": "1"}) == cell


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"tasks": ["logical_xr"]},
            "Unknown task: 'logical_xr'. Did you mean logical_xor",
        ),
        (
            {"inputs": ["many"]},
            "Unknown inputs: 'many'. Did you mean many_hot? Known: one_hot, ",
        ),
        (
            {"activations": ["rely"]},
            "Unknown activation: 'rely'. Did you mean relu",
        ),
        ({"networks": ["dens"]}, "Unknown network: 'dens'. Did you mean dense"),
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
        (
            {"tasks": ["logical_xor"], "inputs": ["random"]},
            "logical_xor makes no sense on random: a continuous value is "
            "practically never zero",
        ),
        (
            {"networks": ["multiply"], "activations": ["relu"]},
            "None of the networks multiply has one of the depths None with one "
            "of the activations relu.",
        ),
        (
            {"networks": ["dense"], "depths": [4]},
            "None of the networks dense has one of the depths [4]",
        ),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        select(**arguments)
