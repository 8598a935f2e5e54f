import pytest

from examples import fit_an_image


@pytest.mark.backends("torch")
def test_a_short_run(tmp_path, capsys):
    picture = tmp_path / "image.png"
    fit_an_image.main(["--steps", "1", "--size", "16", "--to", str(picture)])
    assert picture.stat().st_size > 1_000
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and all(line.endswith(" dB") for line in lines)
    sizes = [int(line.split(", ")[1].split()[0]) for line in lines]
    assert max(sizes) < 1.05 * min(sizes)
