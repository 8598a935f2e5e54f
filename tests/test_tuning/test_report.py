import base64
import dataclasses
import html
import json
import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import tasks
from tasks import arithmetic_ops
from tasks import placed_digits
from tuning import report
from tuning.networks.layers import LAYERS
from tuning.networks.registry import NETWORKS
from tuning.reporting import figures
from tuning.reporting import glossary
from tuning.reporting import tables as summary
from tuning.reporting.statistics import half_interval
from tuning.study.files import replace_file
from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.rows import columns as columns_of
from tuning.study.table import Table

DIVERGED = float(np.finfo("float32").max)


def cell(task, inputs, network, depth=1, activation="linear", seed=0):
    return Cell(task, inputs, network, depth, activation, seed)


def result(accuracy, constant, *args, parameters=100, **kwargs):
    return Result.of(
        cell(*args, **kwargs),
        accuracy=accuracy,
        loss=0.25,
        constant_accuracy=constant,
        skill=(accuracy - constant) / (1 - constant),
        learning_rate=0.01,
        steps=3000,
        seconds=1.5,
        parameters=parameters,
        backend="jax",
        device="a processor",
        status=Status.TRIVIAL if constant >= 0.99 else Status.DONE,
    )


def failure(message, *args, **kwargs):
    return Result.of(
        cell(*args, **kwargs), status=Status.FAILED, message=message
    )


RESULTS = [
    result(0.99, 0.5, "logical_xor", "many_hot", "multiply", seed=0),
    result(1.0, 0.5, "logical_xor", "many_hot", "multiply", seed=1),
    result(0.995, 0.5, "logical_xor", "many_hot", "multiply", seed=2),
    result(0.25, 0.5, "logical_xor", "many_hot", "dense", 1),
    result(0.375, 0.5, "logical_xor", "many_hot", "dense", 2, "relu"),
    result(0.9925, 0.985, "dot", "one_hot", "dense", 1),
    result(0.9, 0.2, "elementwise_add", "random", "dense", 1),
    result(0.9, 0.2, "elementwise_add", "random", "multiply", parameters=50),
    result(0.9, 0.995, "reduce_max", "random", "multiply"),
    failure("ValueError: <shape> & more", "dot", "random", "multiply"),
    failure("again", "reduce_max", "random", "dense", 1),
]
TRIALS = [
    Trial.of(
        cell("logical_xor", "many_hot", "multiply", seed=seed),
        learning_rate=rate,
        accuracy=0.5,
        loss=loss,
        steps=1000,
        status=Status.DIVERGED if loss == DIVERGED else Status.DONE,
    )
    for seed in range(3)
    for rate, loss in (
        (0.001, 1.0),
        (0.01, 0.0),
        (0.1, 0.5),
        (1.0, 1e9),
        (10.0, DIVERGED if seed else 2.0),
    )
]
TRIALS.append(
    Trial.of(
        cell("logical_xor", "many_hot", "multiply"),
        learning_rate=100.0,
        steps=1000,
        status=Status.FAILED,
        message="no memory",
    )
)
SETTINGS = {"search_steps": 1000, "batch_size": 32, "learning_rates": [0.1, 10]}
PUBLISHED = """\
task,inputs,network,depth,activation,accuracy,loss,learning_rate,steps,finished
logical_xor,many_hot,multiply,1,linear,0.1,1,0.1,9,2018-11-02 10:00:00
logical_xor,many_hot,multiply,1,linear,0.625,1,0.1,9,2018-11-03 10:00:00
logical_xor,many_hot,dense,2,relu,0.25,1,0.1,9,2018-11-02 10:00:00
dot,random,multiply,1,linear,0.25,1,0.1,9,2018-11-02 10:00:00
logical_xor,random,dense,1,linear,1.0,1,0.1,9,2018-11-02 10:00:00
"""


def write_study(directory, results=RESULTS, trials=TRIALS):
    directory.mkdir(exist_ok=True)
    Table(directory / "results.csv", Result).append(results)
    Table(directory / "trials.csv", Trial).append(trials)
    (directory / "settings.json").write_text(json.dumps(SETTINGS))
    return directory


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    directory = write_study(tmp_path_factory.mktemp("study"))
    published = directory / "published.csv"
    published.write_text(PUBLISHED)
    arguments = [str(directory), "--published", str(published)]
    assert report.main(arguments) == 0
    return directory


@pytest.fixture(scope="module")
def page(study):
    return (study / "report.html").read_text()


@pytest.fixture
def cells():
    return summary.over_seeds(summary.to_frame(RESULTS, Result))


def section(page, name):
    """Returns the text of a section, and its tables' rows of cells."""
    (text,) = (
        part
        for part in page.split("<h2 ")
        if part.split(">")[1].startswith(f"{name}<")
    )
    rows = [
        [
            html.unescape(re.sub("<.*?>", "", each)).replace("−", "-")
            for each in re.findall("<t[dh][ >].*?</t[dh]>|<td></td>", row)
        ]
        for row in re.findall("<tr.*?</tr>", text, re.DOTALL)
    ]
    return html.unescape(re.sub("<.*?>", "", text)), rows


def columns(rows):
    """Returns the rows as dictionaries, by the first as a heading."""
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_begins_with_the_answer(page):
    start = page[page.index("<body>") :]
    assert (
        '<p class="answer">1 of 3 problems were learned by some network; '
        "multiply learned the most, 1 of 2.</p>" in start
    )
    assert start.index('class="answer"') < start.index("<nav>")


def test_the_answer_names_all_that_learned_the_most(tmp_path):
    rows = [
        result(1.0, 0.5, task, "random", network)
        for network in ("dense", "multiply", "nac")
        for task in ("dot", "concat")
    ]
    for count, most in ((4, "dense and multiply each"), (6, "dense and 2 oth")):
        directory = write_study(tmp_path / f"{count}", rows[:count], [])
        assert report.main([str(directory)]) == 0
        page = (directory / "report.html").read_text()
        assert f"All 2 problems were learned by some network; {most}" in page
        assert " learned 2 of 2.</p>" in page


def test_the_answer_about_one_problem(tmp_path):
    for accuracy, answer in (
        (1.0, "multiply (depth 1, linear) learned dot on many_hot with an "),
        (0.5, "No network learned dot on many_hot: the best, multiply (de"),
    ):
        rows = [result(accuracy, 0.25, "dot", "many_hot", "multiply")]
        directory = write_study(tmp_path / f"{accuracy}", rows, [])
        assert report.main([str(directory)]) == 0
        assert answer in (directory / "report.html").read_text()


def test_says_in_short_what_was_learned(page):
    text, rows = section(page, "In short")
    assert "on 5 problems from 1 to 3 seeds each: 9 cells. 2 runs fa" in text
    assert (
        "No network learned dot on one_hot. The best, dense (depth 1, linear), "
        "has an accuracy of 0.9925; a constant has 0.9850." in text
    )
    assert "Trivial, and not counted: reduce_max on random." in text
    assert [row["which"] for row in columns(rows)] == [
        "logical_xor (many_hot)",
        "",
    ]


def test_names_the_best_network_of_each_problem(page):
    _, rows = section(page, "Best network of each problem")
    best = {row["problem"]: row for row in columns(rows)}
    assert list(best) == [
        "elementwise_add on random",
        "dot on one_hot",
        "logical_xor on many_hot",
    ]
    # As accurate as dense, with half the parameters.
    assert best["elementwise_add on random"]["network"] == "multiply 1 linear"
    xor = best["logical_xor on many_hot"]
    assert xor["accuracy"] == "0.9950"
    assert xor["skill"] == "0.990"
    assert xor["rate"] == "0.01"
    assert (xor["learned by"], xor["of networks"]) == ("1", "3")
    # Student's t of 2 degrees of freedom × 0.005 / √3.
    assert rows[3][rows[0].index("accuracy") + 1] == "0.0124"
    assert rows[3][rows[0].index("skill") + 1] == "0.025"


def test_ranks_by_mean_skill_without_trivial_cells(page):
    _, rows = section(page, "Ranking of the networks")
    ranking = columns(rows)
    assert [row["network"] for row in ranking] == [
        "multiply 1 linear",
        "dense 1 linear",
        "dense 2 relu",
    ]
    # (0.99 + 0.875) / 2; reduce_max, far below 0, is not in it.
    assert ranking[0]["mean skill"] == "0.932"
    assert ranking[0]["of problems"] == "2"
    # -0.5 counts as 0, beside 0.5 and 0.875.
    assert ranking[1]["mean skill"] == "0.458"
    assert ranking[1]["of problems"] == "3"


def test_lists_every_cell(page):
    _, rows = section(page, "All results")
    found = columns(rows)
    assert len(found) == 9
    assert [row["status"] for row in found].count("failed") == 2
    trivial = next(row for row in found if row["status"] == "trivial")
    assert trivial["problem"] == "reduce_max on random"
    assert trivial["accuracy"] == "0.9000"
    # (0.9 - 0.995) / 0.005 is -19, of which no more is said than this.
    assert trivial["skill"] == "-1.000"


def test_lists_failures_with_their_messages(page):
    _, rows = section(page, "Failures and remarks")
    messages = {row["problem"]: row["message"] for row in columns(rows[:3])}
    assert messages == {
        "dot on random": "ValueError: <shape> & more",
        "reduce_max on random": "again",
    }
    assert rows[4][-2:] == ["100", "no memory"]
    assert "<shape>" not in page


RATE = "another decade of learning rate was chosen"


def test_compares_with_published_results(page):
    text, rows = section(page, "Beside the published results")
    assert "2 cells of 9 are among the published ones" in text
    # The largest difference first; of two published rows, the later.
    assert [row[1:] for row in rows[-2:]] == [
        ["multiply 1 linear", "0.9950", "0.6250", "+0.3700", RATE],
        ["dense 2 relu", "0.3750", "0.2500", "+0.1250", RATE],
    ]
    assert [RATE, "2"] in rows


def test_says_the_settings(page):
    _, rows = section(page, "Settings")
    settings = dict(rows[1:])
    assert settings["records per step"] == "32"
    assert settings["learning rates"] == "0.1, 10"
    assert settings["device"] == "a processor"
    assert settings["seed"] == "0, 1, 2"


def test_learning_rates_show_what_diverged(page):
    _, rows = section(page, "Learning rates")
    # Rate 10 diverged from two seeds, and ended at a loss of 2 from the third.
    assert rows == [
        ["network", "0.001", "0.01", "0.1", "1", "10"],
        ["multiply 1 linear", "1", "1e-12", "0.5", "1e+09", "2"],
    ]
    assert page.count('class="chosen"') == 1


def test_shows_scores_by_network_and_task(page):
    text, rows = section(page, "Networks × tasks")
    heat = {row[0]: row[1:] for row in rows if "relu" not in row[0]}
    # On random: skill, accuracy; what failed and what was not run.
    assert "On random" in text
    assert rows[-3:] == [
        ["network", "elementwise_add", "dot", "reduce_max †"],
        ["dense 1 linear", "0.880.900", "–", "failed"],
        ["multiply 1 linear", "0.880.900", "failed", "-1.000.900"],
    ], heat


def test_defines_every_name(page):
    text, _ = section(page, "Names")
    names = [
        *tasks.OPERATIONS,
        *(f"arithmetic_ops/{name}" for name in arithmetic_ops.OPERATIONS),
        "placed_digits",
        *(f"placed_digits/{name}" for name in placed_digits.LABELS),
    ]
    for name in names:
        assert glossary.of_task(name), name
    for name in (*tasks.INPUTS, "uniform", "images"):
        assert glossary.of_inputs(name), name
    for name in (*NETWORKS, *LAYERS, "film:residual=False"):
        assert glossary.of_network(name), name
    assert glossary.of_network("my.module:Layer") == ""
    assert "one_hot" in text and "the dot product of a and b" in text


def test_knows_which_problems_are_the_same():
    found = glossary.same_problems(list(tasks.PAIRS))
    named = {
        (task, inputs): f"{'not ' * complement}{other}"
        for (task, inputs), ((other, _), complement) in found.items()
    }
    assert named == {
        ("almost_equal", "one_hot"): "equality",
        ("almost_equal", "many_hot"): "equality",
        ("logical_and", "one_hot"): "elementwise_mul",
        ("logical_and", "many_hot"): "elementwise_mul",
        ("logical_xor", "one_hot"): "not equality",
        ("logical_xor", "many_hot"): "not equality",
    }


def test_the_same_problem_counts_once(tmp_path):
    rows = [
        result(1.0, 0.5, task, "many_hot", "multiply")
        for task in ("equality", "almost_equal", "logical_xor", "concat")
    ]
    directory = write_study(tmp_path, rows, [])
    assert report.main([str(directory)]) == 0
    page = (directory / "report.html").read_text()
    assert "All 2 problems were learned by some network" in page
    text, _ = section(page, "In short")
    assert (
        "counted once: almost_equal on many_hot = equality, logical_xor on "
        "many_hot = not equality." in text
    )


def test_no_zero_has_a_sign_and_no_skill_is_without_bound(tmp_path):
    rows = [
        result(0.25, 0.2500001, "dot", "random", "dense"),
        result(0.0, 0.98, "dot", "random", "multiply"),
    ]
    directory = write_study(tmp_path, rows, [])
    assert report.main([str(directory)]) == 0
    page = (directory / "report.html").read_text()
    assert not re.search("[−-]0[.]0*<", page)
    assert "−49" not in page


EVIL = '<script>alert("1")</script>&amp;\'"'


@pytest.mark.parametrize("where", ["results", "trials", "settings"])
def test_nothing_that_is_read_becomes_markup(tmp_path, where):
    evil = {
        name: EVIL
        for name in ("task", "inputs", "network", "activation", "choices")
    }
    failed = {**evil, "status": Status.FAILED, "message": EVIL}
    rows, trials, settings = [*RESULTS], [*TRIALS], {**SETTINGS}
    evil_row = dataclasses.replace(rows[0], **evil, device=EVIL, message=EVIL)
    if where == "results":
        rows += [evil_row, dataclasses.replace(evil_row, seed=1, **failed)]
    elif where == "trials":
        rows.append(evil_row)
        trials += [
            dataclasses.replace(trials[0], **evil),
            dataclasses.replace(trials[0], **failed),
        ]
    else:
        settings |= {EVIL: EVIL, "tuner": EVIL, "learning_rates": [EVIL]}
    directory = write_study(tmp_path, rows, trials)
    (directory / "settings.json").write_text(json.dumps(settings))
    assert report.main([str(directory)]) == 0
    page = (directory / "report.html").read_text()
    assert page.count("<script") == 1 and "alert" in page
    assert 'alert("1")</script>' not in page


def test_is_self_contained(study, page):
    images = re.findall('src="(.*?)"', page)
    start = "data:image/png;base64,"
    (embedded,) = (base64.b64decode(each[len(start) :]) for each in images)
    assert embedded == (study / "figures" / "published.png").read_bytes()
    assert not re.search("https?:|@import|<link|url[(]", page)


def test_removes_figures_that_only_an_earlier_report_made(tmp_path):
    directory = write_study(tmp_path, RESULTS, [])
    (directory / "figures").mkdir()
    (directory / "figures" / "rates_dot_random.png").touch()

    def names():
        assert report.main([str(directory)]) == 0
        return {path.name for path in directory.glob("figures/*.png")}

    assert names() >= {"rates_dot_random.png", "skill_random.png"}
    (directory / "results.csv").unlink()
    Table(directory / "results.csv", Result).append(RESULTS[:1])
    assert names() == {"rates_dot_random.png", "skill_many_hot.png"}


def drawn(figure):
    """Returns what stands in the cells of a heat map, by row and column."""
    axes = figure.axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    names = [label.get_text() for label in axes.get_xticklabels()]
    return names, {
        (rows[round(text.get_position()[1])], round(text.get_position()[0])): (
            text.get_text(),
            text.get_weight() == "bold",
        )
        for text in axes.texts
    }


def test_heat_map_tells_scores_from_what_has_none(cells):
    variants = cells[summary.VARIANT].drop_duplicates()
    names = ["elementwise_add", "dot", "reduce_max"]
    figure = figures.heat_map(cells, "random", names, variants)
    labels, texts = drawn(figure)
    assert labels == ["elementwise_add", "dot", "reduce_max †"]
    assert texts == {
        ("multiply 1 linear", 0): ("0.875", False),
        ("dense 1 linear", 0): ("0.875", False),
        ("dense 2 relu", 0): ("–", False),
        ("multiply 1 linear", 1): ("failed", False),
        ("dense 1 linear", 1): ("–", False),
        ("dense 2 relu", 1): ("–", False),
        ("multiply 1 linear", 2): ("−1.000", False),
        ("dense 1 linear", 2): ("failed", False),
        ("dense 2 relu", 2): ("–", False),
    }
    # Nothing but scores is coloured.
    values = figure.axes[0].images[0].get_array()
    assert np.ma.masked_invalid(values).count() == 3


def test_heat_map_of_skill_marks_what_is_learned(cells):
    variants = cells[summary.VARIANT].drop_duplicates()
    figure = figures.heat_map(cells, "many_hot", ["logical_xor"], variants)
    assert drawn(figure)[1] == {
        ("multiply 1 linear", 0): ("0.990", True),
        ("dense 1 linear", 0): ("−0.500", False),
        ("dense 2 relu", 0): ("−0.250", False),
    }


def test_interval_is_of_students_t():
    half = half_interval(pd.Series([1.0, 2.0, 3.0, None]))
    assert half == pytest.approx(4.302653 / 3**0.5)
    assert np.isnan(half_interval(pd.Series([1.0])))


def test_results_without_a_score_still_make_a_page(tmp_path):
    directory = write_study(tmp_path, [failure("bad", "dot", "random", "a:B")])
    (directory / "trials.csv").unlink()
    (directory / "settings.json").unlink()
    assert report.main([str(directory)]) == 0
    page = (directory / "report.html").read_text()
    assert "no score on a problem that is not trivial" in page
    assert "There is no settings.json." in page


def header(row_class):
    return ",".join(columns_of(row_class)) + "\n"


ROW = "dot,random,dense,1,linear,0,{},0,0,0,0.1,1,1,1,jax,cpu,{},,,,,article,\n"


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("results.csv", None, "has no results.csv"),
        ("results.csv", "", "does not name the expected columns"),
        ("results.csv", header(Result), "has no results yet"),
        ("results.csv", header(Result) + "dot,", "has no results yet"),
        ("results.csv", b"\xff\xfe\x00", "does not name the expected columns"),
        (
            "results.csv",
            header(Result) + ROW.format("much", "done"),
            "in line 2, accuracy is 'much', not a number",
        ),
        (
            "results.csv",
            header(Result) + ROW.format("", "done"),
            "in line 2, a row that is done has no accuracy",
        ),
        (
            "results.csv",
            header(Result) + ROW.format("0.5", "fine"),
            "in line 2, status is 'fine', not one of done, ",
        ),
        ("trials.csv", header(Trial) + "dot\n", "line 2 has 1 fields"),
        ("settings.json", "{", "settings.json is damaged"),
        ("settings.json", "[" * 100_000, "settings.json is damaged"),
        ("figures", "", "figures"),
    ],
)
def test_bad_directory_is_one_line(tmp_path, capsys, name, text, message):
    directory = write_study(tmp_path)
    (directory / "report.html").write_text("as it was")
    if text is None:
        (directory / name).unlink()
    else:
        content = text if isinstance(text, bytes) else text.encode()
        (directory / name).write_bytes(content)
    assert report.main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("report: error: ") and message in error
    assert error.count("\n") == 1
    assert (directory / "report.html").read_text() == "as it was"


def test_missing_directory_is_one_line(tmp_path, capsys):
    assert report.main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == (
        f"report: error: There is no directory {tmp_path / 'none'}.\n"
    )


@pytest.mark.parametrize(
    "text, message",
    [
        (None, "No such file"),
        ("", "is not a CSV file"),
        ("task,inputs\n", "has no column network, depth, activation"),
        (PUBLISHED.replace("0.625", "x"), "in line 3, accuracy is 'x'"),
    ],
)
def test_bad_published_results_are_one_line(tmp_path, capsys, text, message):
    directory = write_study(tmp_path / "study")
    path = tmp_path / "published.csv"
    if text is not None:
        path.write_text(text)
    assert report.main([str(directory), "--published", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (directory / "report.html").exists()


def test_interrupted_writing_leaves_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("as it was")

    def interrupt(source, target):
        assert source.read_text() == "new"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(path, "new")
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


def test_needs_no_keras():
    code = "import sys, tuning.reporting.page; sys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
