"""The article's claims: which networks learn reasoning operations."""

from experiments.findings import dot
from experiments.findings import rows
from experiments.findings import xor
from experiments.findings.claim import LEARNED
from experiments.findings.claim import Claim
from experiments.findings.claim import Verdict
from experiments.findings.claim import by_sign
from experiments.findings.claim import mean
from experiments.findings.claim import share

SUPPORTED, REFUTED, UNDECIDED = Verdict
MULTIPLY, SIMPLE = "multiply 1 linear", "multiply_simple 1 linear"


def claims():
    return [
        best_network(),
        out_performs(),
        few_do_the_majority(),
        almost_every_task(),
        dot.struggles(),
        dot.simple_does_dot(),
        dot.too_many_parameters(),
        dot.neither_sums(),
        one_hot_is_easy(),
        range_of_activation(),
        residual_is_worst(),
        xor.is_hardest(),
        xor.order(),
        sensitive(),
        depth_impedes(),
        excels_and_fails(),
        experiments(),
        disjoint(),
        positive_inputs(),
        many_hot_is_hardest(),
    ]


def table(column):
    """One value per network and pair, of the distinct non-trivial pairs."""
    return rows.distinct().pivot_table(
        index="network", columns=rows.PAIR, values=column
    )


def best_network():
    skill = table("skill")
    order = skill.mean(axis=1).sort_values(ascending=False)
    first, second = order.index[:2]
    difference = mean(skill.loc[first] - skill.loc[second])
    learned = (table("accuracy") >= LEARNED).sum(axis=1)
    most = learned[learned == learned.max()]
    return Claim(
        "The best single network is one with element-wise multiplication.",
        by_sign(difference) if first == MULTIPLY else REFUTED,
        f"`{first}` has the highest mean skill, {order.iloc[0]:.3f}, before "
        f"`{second}` with {order.iloc[1]:.3f}; the difference over "
        f"{skill.shape[1]} functions is {difference}. By functions learned it "
        f"shares the first place: {learned.max()} are learned by "
        f"{', '.join(f'`{name}`' for name in most.index)}.",
        "More seeds, and the protocol `thorough` on all pairs.",
    )


def out_performs():
    product = rows.best("elementwise_mul", "random")
    dots = [rows.best("dot", name) for name in dot.INPUTS]
    rivals = max(max(each["dense"], each["dense_residual"]) for each in dots)
    simple = min(each["multiply_simple"] for each in dots)
    passed = (
        product["multiply"] >= LEARNED
        and max(product["dense"], product["dense_residual"]) < LEARNED
        and simple >= LEARNED
        and rivals < LEARNED
    )
    said, learned = _given_time()
    tried = (
        "the best of them were trained thoroughly from few seeds"
        if said
        else "none of them was trained thoroughly"
    )
    passed = passed and not learned
    bits = rows.best("logical_xor", "many_hot")
    return Claim(
        "Element-wise multiplication can out-perform dense layers.",
        SUPPORTED if passed else UNDECIDED,
        "By the article's procedure, products of values in [−1, 1): "
        f"`multiply` {product['multiply']:.3f}, "
        f"the best dense network {product['dense']:.3f}, residual "
        f"{product['dense_residual']:.3f}. Dot products: `multiply_simple` at "
        f"least {simple:.3f}, the best dense or residual network {rivals:.3f}. "
        f"XOR of bits: {bits['multiply']:.3f} "
        f"against {bits['dense']:.3f} and {bits['dense_residual']:.3f}"
        f"{xor.beside_rivals()}{said}",
        "A dense or residual network of this size that learns a product or a "
        f"dot product would refute it; so far {tried}.",
    )


def _given_time():
    """Says how far the best rivals on products get by thorough training.

    Returns:
        A sentence, and whether one of them learned.
    """
    said = []
    found = rows.thorough()
    found = found[found.inputs == "random"]
    found = found[found.family.isin(["dense", "dense_residual"])]
    names = {"elementwise_mul": "products", "dot": "dot products"}
    for task, name in names.items():
        rivals = found[found.task == task].groupby("network").accuracy
        if len(rivals):
            rival = rivals.mean().idxmax()
            said.append(
                f"{rivals.mean()[rival]:.3f} on {name} (`{rival}`, seeds: "
                f"{rivals.size()[rival]})"
            )
    text = f" The best of them reach {' and '.join(said)}." if said else ""
    return text, bool((found.accuracy >= LEARNED).any())


def few_do_the_majority():
    learned = (table("accuracy") >= LEARNED).sum(axis=1)
    total = table("accuracy").shape[1]
    count = int((learned > total / 2).sum())
    return Claim(
        "Few networks succeed on the majority of tasks and inputs.",
        SUPPORTED if count < len(learned) / 2 else REFUTED,
        f"{share(count, len(learned))} networks learn more than half of the "
        f"{total} functions, the best of them {learned.max()}.",
        "A procedure that trains every network to its end: the share rises "
        "with longer training.",
    )


def almost_every_task():
    learned = table("accuracy").loc[MULTIPLY] >= LEARNED
    return Claim(
        "`multiply` is close to 100 % on almost every task and input.",
        REFUTED,
        f"It learns {share(int(learned.sum()), len(learned))} functions that "
        "a constant does not get right.",
        "",
    )


def one_hot_is_easy():
    found = rows.grid()
    constant = found[found.inputs == "one_hot"].constant_accuracy.min()
    return Claim(
        "Most networks do very well on one-hot vectors.",
        SUPPORTED,
        f"True, and empty: the best constant is right on at least "
        f"{constant:.1%} of the elements of every one-hot task.",
    )


def range_of_activation():
    found = rows.distinct()
    outside = found[
        found.inputs.eq("random")
        & found.task.isin(["concat", "elementwise_add", "elementwise_mul"])
        & ~found.activation.isin(["linear", "tanh"])
        & found.family.isin(["dense", "dense_residual"])
    ]
    learned = int((outside.accuracy >= LEARNED).sum())
    return Claim(
        "The range of the output's activation must hold the labels.",
        SUPPORTED if learned < len(outside) / 10 else UNDECIDED,
        f"Where labels are negative, {share(learned, len(outside))} networks "
        "with relu, sigmoid or selu at the output learn them. A residual "
        "connection cannot help: the output layer has none, except where its "
        "width equals its input's, as in concatenation.",
        "",
    )


def residual_gains():
    """Accuracy with skips minus without, of networks equal otherwise."""
    accuracy = (
        rows.distinct()
        .set_index(["family", *rows.PAIR, "depth", "activation"])
        .accuracy
    )
    return (accuracy["dense_residual"] - accuracy["dense"]).dropna()


def residual_is_worst():
    gain = residual_gains()
    pairs = gain.groupby(level=rows.PAIR).mean()
    difference = mean(pairs)
    return Claim(
        "Residual networks are worse than plain ones.",
        REFUTED if difference.sign > 0 else UNDECIDED,
        f"Accuracy with skips − without, over {len(pairs)} functions: "
        f"{difference}. In {len(gain)} pairs of networks the residual one is "
        f"better by more than 0.01 in {int((gain > 0.01).sum())} and worse in "
        f"{int((gain < -0.01).sum())}. The article's code left out the skip "
        f"connections when it evaluated.{_left_out()}",
    )


def _left_out():
    """Says what leaving out the skips does, and whether it explains all."""
    found = rows.released()
    found = found[(found.family == "dense_residual")]
    found = found[found.status != "trivial"]
    lost = mean(found.accuracy - found.accuracy_with_skips)
    counts = rows.agreement()["residual"]
    repeats = rows.agreement()["repeats"]
    return (
        f" Done so again, that changes the accuracy of the same weights by "
        f"{lost} in {len(found)} cells drawn at random, and "
        f"{share(counts['as_released'], counts['cells'])} published cells come "
        f"out within 0.03; with the skips "
        f"{share(counts['as_said'], counts['cells'])}. Among those that do not "
        f"come out, {counts['other_rate']} have another learning rate: the "
        "code tried the previous cell's first, which is not repeated here. "
        "Cells that were published twice agree so in "
        f"{share(repeats['close'], repeats['cells'])}."
    )


def sensitive():
    found = rows.distinct()
    found = found[found.family.isin(["dense", "dense_residual"])]
    spread = found.pivot_table(
        index=[*rows.PAIR, "family", "depth"],
        columns="activation",
        values="accuracy",
    )
    wide = int((spread.max(axis=1) - spread.min(axis=1) > 0.1).sum())
    return Claim(
        "Accuracy is very sensitive to the number of layers and the "
        "activation.",
        SUPPORTED if wide > len(spread) / 2 else UNDECIDED,
        f"Another activation changes the accuracy by more than 0.1 in "
        f"{share(wide, len(spread))} cases. The procedure makes a part of it: "
        "a rate that is chosen early and held for long spoils some of them.",
        "The protocol `thorough` on all pairs.",
    )


def depth_impedes():
    found = rows.distinct()
    found = found[found.family == "dense"].pivot_table(
        index=[*rows.PAIR, "activation"], columns="depth", values="accuracy"
    )
    wide = int((found.max(axis=1) - found.min(axis=1) > 0.1).sum())
    return Claim(
        "Too many or too few layers impede most networks.",
        REFUTED if wide < len(found) / 2 else SUPPORTED,
        f"Depth changes the accuracy of a dense network by more than 0.1 in "
        f"{share(wide, len(found))} cases: in some, not in most.",
        "The protocol `thorough` on all pairs.",
    )


def excels_and_fails():
    excels = (table("accuracy") >= LEARNED).any(axis=1)
    fails = (table("skill") < 0.5).any(axis=1)
    count = int((excels & fails).sum())
    return Claim(
        "A network that excels at one task often fails at another.",
        SUPPORTED if count > len(excels) / 2 else REFUTED,
        f"{share(count, len(excels))} networks learn at least one function "
        "and have a skill below 0.5 on another.",
    )


def experiments():
    return Claim(
        "1,300 experiments: 23 networks, 10 tasks, four kinds of inputs.",
        REFUTED,
        "The published table has 1,296 rows and 12 tasks; 269 rows repeat a "
        "cell by continuing its run, so there are 1,027 experiments.",
    )


def disjoint():
    return Claim(
        "No record is both in the training and the evaluation set.",
        REFUTED,
        "One-hot vectors of width 128 make 128 × 128 = "
        f"{128 * 128:,} pairs, and 1,004,000 records were drawn.",
    )


def positive_inputs():
    counts = rows.agreement()["random_pos"]
    return Claim(
        "The inputs `random_pos` lie between 0 and 1.",
        REFUTED,
        "The article's code draws them by the function of `random`, between "
        f"−1 and 1. Drawn so, {share(counts['as_released'], counts['cells'])} "
        "published cells come out within 0.03; drawn as the article says, "
        f"{share(counts['as_said'], counts['cells'])}.",
    )


def many_hot_is_hardest():
    found = rows.grid()
    tasks = ["logical_and", "logical_or", "logical_xor", "equality"]
    means = found[found.task.isin(tasks)].pivot_table(
        index="task", columns="inputs", values="accuracy"
    )
    harder = bool((means.many_hot < means.one_hot).all())
    values = "; ".join(
        f"{task} {row.many_hot:.2f} and {row.one_hot:.2f}"
        for task, row in means.iterrows()
    )
    return Claim(
        "Many-hot vectors are the hardest inputs of the logical tasks.",
        SUPPORTED if harder else REFUTED,
        f"Mean accuracy of all networks on many-hot and one-hot: {values}.",
    )
