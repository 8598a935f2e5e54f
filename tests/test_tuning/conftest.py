import pytest


@pytest.fixture(autouse=True)
def own_data_dir(tmp_path, monkeypatch):
    """No test can touch the data directory of whoever runs it."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
