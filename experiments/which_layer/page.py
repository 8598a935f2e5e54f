"""The tables in the page."""

import pandas as pd

from experiments.markdown import table


def layers_table(part, results, ratios):
    """Returns the table of a part in Markdown."""
    columns = part.columns
    pairs = [*zip(results.task, results.inputs, strict=True)]
    mine = [pair in columns for pair in pairs]
    results = results.assign(pair=pairs)[mine]
    results = results[results.network.isin([*ratios])]
    means = results.groupby(["network", "activation", "pair"]).agg(
        skill=("skill", "mean"),
        success=("success", "mean"),
        parameters=("parameters", "mean"),
    )
    rows = []
    useful = means.skill.clip(0).groupby(["network", "activation"]).mean()
    for network, activation in useful.sort_values(ascending=False).index:
        cells = means.loc[network, activation].reindex([*columns])
        with_it = "" if activation == "linear" else f", {activation}"
        rows.append(
            [
                f"`{network}`{with_it}",
                *map(_skill, cells.itertuples()),
                f"{cells.parameters[part.timed]:,.0f}",
                f"{ratios[network]:.2f}×",
            ]
        )
    head = ["layer", *columns.values(), "parameters", "step time"]
    return table(head, rows)


def _skill(cell):
    if pd.isna(cell.skill):
        return "–"
    text = f"{max(cell.skill, 0):.2f}"
    mark = " ✓" if cell.success == 1 else ""
    return f"**{text}**{mark}" if cell.skill >= 0.9 else text + mark


def write(text, part, path):
    """Replaces a part's table in the page, and leaves the rest alone."""
    start, end = part.marks
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(start)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
