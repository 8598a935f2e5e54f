from tuning.study.files import as_file_name


def test_long_names_are_told_apart():
    names = [as_file_name(f"{'a/b:' * 200}{i}.keras") for i in range(3)]
    assert len(set(names)) == 3
    assert all(name.endswith(".keras") and len(name) < 100 for name in names)
    assert as_file_name("a/b:c.keras") == "a.b.c.keras"
