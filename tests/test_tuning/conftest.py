import pytest

import tasks

RECORDS = 640


@pytest.fixture(autouse=True)
def own_data_dir(tmp_path, monkeypatch):
    """No test can touch the data directory of whoever runs it."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Returns where a few records are prepared."""
    path = tmp_path_factory.mktemp("data")
    for split in tasks.SPLITS:
        tasks.load_inputs("many_hot", split, path, train_records=RECORDS)
    return path


@pytest.fixture
def options(data_dir, tmp_path):
    """Options of a tiny search."""
    return [
        *("--data-dir", str(data_dir)),
        *("--directory", str(tmp_path / "results")),
        *("--train-records", str(RECORDS)),
        *("--search-steps", "4"),
        *("--train-steps", "8"),
        *("--learning-rate", "0.001", "0.01"),
        *("--network", "multiply_simple"),
    ]
