import pytest

import tasks

# Small enough to prepare in no time.
FEW = {
    "width": 16,
    "train_records": 3000,
    "validation_records": 40,
    "test_records": 50,
}


@pytest.fixture(autouse=True)
def own_data_dir(tmp_path, monkeypatch):
    """No test can touch the data directory of whoever runs it."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
    return tmp_path / "default"


@pytest.fixture
def few():
    return dict(FEW)


@pytest.fixture
def few_one_hot():
    return {**FEW, "train_records": 100}


@pytest.fixture
def settings():
    return tasks.InputSettings("random", **FEW)
