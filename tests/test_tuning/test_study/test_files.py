import os

from tuning.study.files import as_file_name
from tuning.study.files import locked


def test_long_names_are_told_apart():
    names = [as_file_name(f"{'a/b:' * 200}{i}.keras") for i in range(3)]
    assert len(set(names)) == 3
    assert all(name.endswith(".keras") and len(name) < 100 for name in names)
    assert as_file_name("a/b:c.keras") == "a.b.c.keras"


def test_a_lock_keeps_others_out(tmp_path):
    with locked(tmp_path) as mine:
        with locked(tmp_path, wait=False) as theirs:
            assert (mine, theirs) == (True, False)
    with locked(tmp_path, wait=False) as mine:
        assert mine
    assert os.listdir(tmp_path) == []
