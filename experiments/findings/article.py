"""The article's claims: which networks learn reasoning operations."""

import numpy as np

from experiments.findings import rows
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
        struggles(),
        simple_does_dot(),
        too_many_parameters(),
        neither_sums(),
        one_hot_is_easy(),
        range_of_activation(),
        residual_is_worst(),
        xor_is_hardest(),
        order_on_xor(),
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


def best(task, inputs, column="accuracy"):
    """The best value of each family on a pair."""
    found = rows.grid()
    found = found[(found.task == task) & (found.inputs == inputs)]
    values = found.groupby("family")[column]
    return values.min() if column == "loss" else values.max()


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
    product = best("elementwise_mul", "random")
    dots = [best("dot", name) for name in ("random", "random_pos", "many_hot")]
    rivals = max(max(each["dense"], each["dense_residual"]) for each in dots)
    simple = min(each["multiply_simple"] for each in dots)
    passed = (
        product["multiply"] >= LEARNED
        and max(product["dense"], product["dense_residual"]) < LEARNED
        and simple >= LEARNED
        and rivals < LEARNED
    )
    xor = best("logical_xor", "many_hot")
    return Claim(
        "Element-wise multiplication can out-perform dense layers.",
        SUPPORTED if passed else UNDECIDED,
        f"Products of values in [−1, 1): `multiply` {product['multiply']:.3f}, "
        f"the best dense network {product['dense']:.3f}, residual "
        f"{product['dense_residual']:.3f}. Dot products: `multiply_simple` at "
        f"least {simple:.3f}, the best dense or residual network {rivals:.3f}. "
        f"XOR of bits, by the article's procedure: {xor['multiply']:.3f} "
        f"against {xor['dense']:.3f} and {xor['dense_residual']:.3f}"
        f"{_xor_thorough()}",
        "A dense or residual network of this size that learns a product or a "
        "dot product would refute it.",
    )


def _xor_thorough():
    found = _thorough_xor()
    if found is None:
        return (
            ", where the residual network was still getting better when it "
            "was stopped."
        )
    means = found.groupby("network").accuracy.mean().sort_values()
    rivals = means.drop(MULTIPLY)
    seeds = found[found.network == rivals.index[-1]].accuracy
    mine = found[found.network == MULTIPLY].accuracy
    return (
        f"; trained thoroughly, from {len(mine)} seeds, {mine.mean():.4f} "
        f"against {seeds.mean():.4f} by the best of {len(rivals)} rivals, "
        f"`{rivals.index[-1]}`, whose seeds reach {seeds.min():.4f} to "
        f"{seeds.max():.4f}."
    )


def _thorough_xor():
    found = rows.thorough()
    if found is None:
        return None
    return found[(found.task == "logical_xor") & (found.inputs == "many_hot")]


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


def struggles():
    names = ("random", "random_pos", "many_hot")
    dots = [best("dot", name)["multiply"] for name in names]
    sums = [best("reduce_sum", name)["multiply"] for name in names]
    return Claim(
        "`multiply` struggles with the dot product and the sum.",
        SUPPORTED if max(*dots, *sums) < LEARNED else REFUTED,
        f"Its accuracy is {min(dots):.2f} to {max(dots):.2f} on dot products "
        f"and {min(sums):.2f} to {max(sums):.2f} on sums, of vectors of 128.",
        "Other widths: a network that fails at 128 may learn at 32.",
    )


def simple_does_dot():
    names = ("random", "random_pos", "many_hot")
    values = [best("dot", name)["multiply_simple"] for name in names]
    return Claim(
        "`multiply_simple` is at 100 % on every dot product.",
        SUPPORTED if min(values) >= LEARNED else REFUTED,
        f"At least {min(values):.4f} on {', '.join(names)}.",
        "",
    )


def too_many_parameters():
    return Claim(
        "The parameters of its two inner layers are why `multiply` fails on "
        "the dot product.",
        UNDECIDED,
        "Without these layers it learns the dot product, but they are not the "
        "only difference: its inner layers also have to find one another.",
        "`multiply` on the dot product at widths 32, 64 and 128, with the "
        "hidden width held constant.",
    )


def neither_sums():
    names = ("random", "random_pos", "many_hot")
    both = [
        best("reduce_sum", name)[["multiply", "multiply_simple"]]
        for name in names
    ]
    simple = max(each["multiply_simple"] for each in both)
    return Claim(
        "Neither variant does well on the sum, and `multiply_simple` fails "
        "completely.",
        SUPPORTED if max(each.max() for each in both) < LEARNED else REFUTED,
        f"At most {max(each['multiply'] for each in both):.3f} and "
        f"{simple:.3f}. From the products alone the sum cannot be computed.",
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
        f"{difference}. Of {len(gain)} pairs of networks the residual one is "
        f"better by more than 0.01 in {int((gain > 0.01).sum())} and worse in "
        f"{int((gain < -0.01).sum())}. The article's code left out the skip "
        "connections when it evaluated.",
        "The article's numbers again by the protocol `released`, with and "
        "without the skips.",
    )


def _logic():
    found = rows.grid()
    found = found[found.inputs == "many_hot"]
    return found.pivot_table(index="network", columns="task", values="accuracy")


def xor_is_hardest():
    logic = _logic()
    easier = np.minimum(logic.logical_and, logic.logical_or)
    count = int((logic.logical_xor < easier).sum())
    return Claim(
        "XOR is the hardest logical task for all networks.",
        SUPPORTED if count == len(logic) else REFUTED,
        f"On bits, XOR is below both AND and OR for "
        f"{share(count, len(logic))} networks: for most, not for all.",
    )


def order_on_xor():
    xor = best("logical_xor", "many_hot").sort_values(ascending=False)
    order = [str(name) for name in xor.index]
    claimed = ["multiply", "dense", "dense_residual", "multiply_simple"]
    values = ", ".join(f"`{name}` {value:.3f}" for name, value in xor.items())
    found = _thorough_xor()
    later = ""
    if found is not None:
        again = found.groupby(["family", "network"]).accuracy.mean()
        again = again.groupby("family").max().sort_values(ascending=False)
        order = [str(name) for name in again.index]
        later = " Trained thoroughly: " + ", ".join(
            f"`{name}` {value:.3f}" for name, value in again.items()
        )
        later += " (mean of 5 seeds, best network of each family)."
    return Claim(
        "On XOR the order is multiply, dense, residual, multiply_simple.",
        SUPPORTED if order == claimed else REFUTED,
        f"By the article's procedure: {values}.{later}",
        "Five seeds of every network, trained thoroughly."
        if found is None
        else "",
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
        "Of one-hot vectors of width 128 there are 128 × 128 = "
        f"{128 * 128:,} pairs, and 1,004,000 records were drawn.",
    )


def positive_inputs():
    return Claim(
        "The inputs `random_pos` lie between 0 and 1.",
        REFUTED,
        "The article's code draws them by the function of `random`, between "
        "−1 and 1; the published losses of the dot product agree with that.",
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
