"""The results of a study, in words."""

from tuning.reporting import tables
from tuning.reporting.elements import element
from tuning.reporting.elements import table

# Problems that no network learned are listed one by one up to this number.
LISTED = 10
WORDS = {
    "problem": "a task on one kind of inputs",
    "accuracy": "the share of the elements of the test labels that are met "
    "within the tolerance, or of the images whose class is named",
    "constant": "the accuracy of the best constant",
    "skill": "(accuracy − constant) / (1 − constant): 1 is perfect, 0 is no "
    "better than a constant. A skill below −1 counts as −1: it only says that "
    "a network is far worse.",
    "learned": f"an accuracy of {tables.LEARNED_ACCURACY:g} and a skill of "
    f"{tables.LEARNED_SKILL:g} or more",
    "trivial": "a problem where a constant meets 99 % or more of the training "
    "labels",
    "success": "the share of the seeds whose error beyond the range of "
    "training is below that of a nearly exact solution",
    "±": "half the 95 % confidence interval of the mean over the seeds, by "
    "Student's t",
}


def count(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def problem(row):
    return f"{row.task} on {row.inputs}"


def network(row):
    return f"{row.network} (depth {row.depth}, {row.activation})"


def sentence(study):
    """Returns the answer in one sentence."""
    best = study.best[study.best.mark == ""]
    if best.empty:
        return "No network has a score on a problem that is not trivial."
    if len(best) == 1:
        return _of_one(best.iloc[0])
    learned = int((best.learned_by > 0).sum())
    if not learned:
        return (
            f"No network learned any of {count(len(best), 'problem')}; the "
            "best of each is below."
        )
    distinct = study.cells[study.cells.mark == ""]
    networks = _by_network(distinct)
    first = networks.iloc[0]
    names = list(networks.network[networks.learned == first.learned])
    if len(names) == 1:
        most = f"{names[0]} learned the most,"
    elif len(names) == 2:
        most = f"{names[0]} and {names[1]} each learned"
    else:
        most = f"{names[0]} and {len(names) - 1} others each learned"
    total = "All" if learned == len(best) else f"{learned} of"
    return (
        f"{total} {count(len(best), 'problem')} were learned by some network; "
        f"{most} {first.learned} of {first.problems}."
    )


def _of_one(row):
    who = "No network" if row.learned_by == 0 else network(row)
    end = f": the best, {network(row)}, has" if row.learned_by == 0 else " with"
    return (
        f"{who} learned {problem(row)}{end} an accuracy of "
        f"{row.accuracy:.4f}; a constant has {row.constant_accuracy:.4f}."
    )


def in_short(study):
    """Returns three sentences: the extent, the failures and the successes."""
    cells, best = study.cells, study.best
    distinct = cells[cells.mark == ""]
    variants = len(cells[tables.VARIANT].drop_duplicates())
    problems = len(cells[tables.PAIR].drop_duplicates())
    seeds = int(cells.seeds.max())
    few = int(cells.seeds[cells.seeds > 0].min()) if seeds else 0
    failed = int((study.results.status == "failed").sum())
    points = [
        f"{count(len(set(cells.network)), 'network')}, {variants} with their "
        f"depths and activations, on {count(problems, 'problem')} from "
        + (f"{few} to " if few < seeds else "")
        + f"{count(seeds, 'seed')} each: {count(len(cells), 'cell')}."
        + (f" {count(failed, 'run')} failed, see below." if failed else "")
    ]
    missed = best[(best.learned_by == 0) & (best.mark == "")]
    if len(missed) > LISTED:
        names = ", ".join(problem(row) for row in missed.itertuples())
        points.append(f"No network learned {names}.")
    else:
        points += [
            f"No network learned {problem(row)}. The best, {network(row)}, "
            f"has an accuracy of {row.accuracy:.4f}; a constant has "
            f"{row.constant_accuracy:.4f}."
            for row in missed.itertuples()
        ]
    pairs = cells[~cells.trivial][[*tables.PAIR, "mark"]].drop_duplicates()
    same = pairs[pairs.mark != ""]
    if len(same):
        names = [f"{problem(row)}{row.mark}" for row in same.itertuples()]
        points.append(
            f"The same problem by another name, and counted once: "
            f"{', '.join(names)}."
        )
    trivial = cells[cells.trivial][tables.PAIR].drop_duplicates()
    if len(trivial):
        names = [problem(row) for row in trivial.itertuples()]
        points.append(f"Trivial, and not counted: {', '.join(names)}.")
    by_network = _by_network(distinct)
    parts = [element("ul", *(element("li", point) for point in points))]
    if len(by_network):
        parts += [
            element(
                "p",
                "What each network learned, at its best depth and activation:",
            ),
            table(
                by_network,
                [
                    ("network", "network", "{}"),
                    ("learned", "learned", "{}"),
                    ("problems", "of problems", "{}"),
                    ("which", "which", "{}"),
                ],
            ),
        ]
    return parts


def _by_network(cells):
    """Returns how many problems each network learned, and which."""
    cells = cells[~cells.trivial & cells.accuracy.notna()]
    pairs = cells[["network", *tables.PAIR]].drop_duplicates()
    learned = cells[cells.learned].drop_duplicates(["network", *tables.PAIR])

    def which(rows):
        return ", ".join(
            f"{task} ({', '.join(of_task.inputs)})"
            for task, of_task in rows.groupby("task", sort=False)
        )

    found = pairs.groupby("network", as_index=False).agg(
        problems=("task", "size")
    )
    by_name = {name: learned[learned.network == name] for name in found.network}
    found["learned"] = [len(by_name[name]) for name in found.network]
    found["which"] = [which(by_name[name]) for name in found.network]
    return found.sort_values("learned", ascending=False, kind="stable")
