import dataclasses

import keras
import numpy as np
import pytest

from experiments.fusion import networks
from experiments.fusion import report
from experiments.fusion import training
from experiments.fusion.training import Job
from experiments.fusion.training import Row
from experiments.fusion.training import Settings
from kmul import layers

TINY = Settings(
    train_records=64,
    validation_records=32,
    test_records=32,
    learning_rates=(1e-2,),
    seeds=(0, 1),
    steps=3,
    batch_size=16,
)
NAMES = (*networks.FUSIONS, *networks.BASELINES)


def test_all_fusion_layers_are_there():
    fusions = {name for name in vars(layers) if name.endswith("Fusion")}
    assert len(fusions) == 10
    assert fusions <= {*networks.FUSIONS}


@pytest.mark.parametrize("name", networks.FUSIONS)
def test_fusions_have_equal_parameters(name):
    parameters = networks.build(name).count_params()
    fused = parameters - networks.count_encoders()
    assert fused == pytest.approx(9_500, rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_sees_what_it_should(name):
    model = networks.build(name, "width" if name in networks.FUSIONS else None)
    rng = np.random.default_rng(0)
    pictures = rng.random((4, 24, 24, 1), "float32")
    words = np.array([[3, 5, 0], [3, 5, 0], [7, 9, 11], [7, 9, 11]])
    pictures[2] = pictures[0]
    # Of two pictures and two names, each picture with each name.
    pictures[3] = pictures[1]
    logits = model.predict([pictures, words], verbose=0)[:, 0]
    assert logits.shape == (4,)
    sees_pictures = abs(logits[0] - logits[1]) > 1e-6
    sees_names = abs(logits[0] - logits[2]) > 1e-6
    assert sees_pictures == (name != "name alone")
    assert sees_names == (name != "picture alone")


def test_padding_of_a_name_does_not_count():
    model = networks.build("concatenation")
    picture = np.zeros((1, 24, 24, 1), "float32")
    short, long = np.array([[3, 5]]), np.array([[3, 5, 0, 0]])
    np.testing.assert_allclose(
        model.predict([picture, short], verbose=0),
        model.predict([picture, long], verbose=0),
        atol=1e-6,
    )


def test_patches_are_cut_out_side_by_side():
    """A pixel changes the encoding of its own patch alone."""
    picture = keras.Input((24, 24, 1))
    model = keras.Model(picture, networks.encode_picture(picture))
    (flat,) = (
        each for each in model.layers if isinstance(each, keras.layers.Flatten)
    )
    patches = keras.Model(picture, flat.input)
    pictures = np.zeros((2, 24, 24, 1), "float32")
    pictures[1, 5:7, 9:11] = 1.0
    encoded = patches.predict(pictures, verbose=0)
    changed = np.any(encoded[0] != encoded[1], axis=-1)
    # The second row of patches, the third column.
    assert set(np.flatnonzero(changed)) <= {6 + 2}


def test_trains():
    sent = []
    settings = dataclasses.replace(TINY, rate_seeds=TINY.seeds)
    training.train(
        Job("MLBFusion", "width", settings),
        lambda kind, rows: sent.extend(rows),
    )
    assert [row.seed for row in sent] == [0, 1]
    assert {row.parameters for row in sent} == {4257}
    assert all(0 <= row.accuracy <= 1 for row in sent)
    missing = [(job.fusion, job.equal) for job in training.jobs(settings, sent)]
    assert len(missing) == 2 * len(networks.FUSIONS) + 3 - 1
    assert ("MLBFusion", "width") not in missing
    assert ("cosine similarity", "parameters") in missing


def test_report(tmp_path):
    rows = [
        Row(name, equal, 1e-2, seed, 9_500, 0.3, accuracy, 1.0)
        for equal in TINY.equal
        for index, name in enumerate(NAMES)
        for seed in TINY.seeds
        for accuracy in [0.5 + 0.02 * index + 1e-5 * seed]
    ]
    report.write(rows, TINY, "Made up.", tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert "*At equal width* HyperDense is right most often: 0.860" in page
    assert "Above concatenation: HyperDense (+0.360 ± 0.000)" in page
    assert "chance being 0.5: picture alone 0.880 ± 0.000" in page
    assert (tmp_path / "fusion.png").stat().st_size > 10_000
