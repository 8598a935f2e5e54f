from experiments.which_layer import __main__ as which_layer
from experiments.which_layer import picture
from tuning.cards.known import known_layers


def test_the_page_shows_the_known_layers():
    page = which_layer.PAGE.read_text("utf-8")
    assert page == which_layer.text(page)
    for layer in known_layers()["layers"]:
        assert page.count(f"| `{layer['name']}` |") == 1


def test_a_row_of_the_table():
    questions = which_layer.columns("vectors")
    first, *others = questions

    def row(name, parameters, seeds, backend="jax"):
        cost = {"asked_parameters": parameters, "step_time": 1.234}
        return {
            "name": name,
            "kind": "vectors",
            "backend": backend,
            "cost": cost,
            "seeds": {
                key: seeds if key in questions[first] else [0.0] * 3
                for keys in questions.values()
                for key in keys
            },
        }

    text = which_layer.layers_table(
        "vectors",
        [
            row("mlp(hidden_units=16)", 800, [0.7, 0.7, 0.7], "torch"),
            row("Mine", 1_000, [0.95, 0.9, 1.0]),
        ],
    )
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
    ]
    count = len(others)
    assert lines[0][:4] == ["layer", "mean", "perceptron", first]
    # The half of Student's interval is 4.303 × 0.05 / √3.
    assert lines[2] == [
        "`Mine`",
        f"{0.95 / (count + 1):.2f}",
        f"{0.7 / (count + 1):.2f}",
        "**0.95** ± 0.12",
        *["0.00"] * count,
        "1,000",
        "1.2×",
    ]
    assert lines[3][2:4] == ["–", "0.70"]
    assert lines[3][-1] == "1.2× (torch)"


def test_picture_has_a_skill_in_each_cell():
    skills = picture.skills()
    assert skills.shape == (len(picture.LAYERS), len(picture.FUNCTIONS))
    assert skills.notna().all(axis=None)
    assert skills.loc["Dense", "dot/random"] < 0.01
    assert skills.loc["MultiplyUnit", "dot/random"] > 0.99
