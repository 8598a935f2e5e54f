"""Bad arguments end in exit code 2 and one line, before any measurement."""

import importlib
import sys

import pytest

BAD = {
    "cluster": "",
    "contractions": "--turns 3",
    "data": "--records 0",
    "faults": "--kills many",
    "layer_attention": "--depth -1",
    "layers": "Denze",
    "search": "--network mulitply",
    "startup": "--data-dir . --before no-such-commit",
    "tuner": "--search digits --repeats 0.5",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name, monkeypatch, capsys):
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", ["benchmark", *BAD[name].split()])
    with pytest.raises(SystemExit) as end:
        module.main()
    output = capsys.readouterr()
    assert end.value.code == 2 and output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith(f"{name}: error: ")
