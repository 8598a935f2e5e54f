"""Writes experiments' answers into their READMEs, from the committed rows.

    python -m experiments.answers

trains nothing and takes seconds. A test fails where a README says otherwise.
"""

import pathlib
import re

from experiments.conditioning import report as conditioning
from experiments.conditioning import training as conditioning_training
from tuning.study.table import Table

ROOT = pathlib.Path(__file__).parent
# Each writes an answer from rows and settings, which are of the second.
EXPERIMENTS = {
    "conditioning": (conditioning, conditioning_training),
}
MARKS = re.compile("(<!-- answer -->\n).*?(<!-- end -->)", re.DOTALL)


def committed_rows(name):
    """Returns the rows of an experiment's committed results."""
    _, training = EXPERIMENTS[name]
    path = ROOT / name / "results" / "results.csv"
    return Table(path, training.Row).rows


def readme(name):
    """Returns an experiment's README with the answer of its rows."""
    report, training = EXPERIMENTS[name]
    answer = report.answer(committed_rows(name), training.Settings())
    text = (ROOT / name / "README.md").read_text("utf-8")
    return MARKS.sub(lambda found: f"{found[1]}{answer}\n{found[2]}", text)


if __name__ == "__main__":
    for each in EXPERIMENTS:
        path = ROOT / each / "README.md"
        path.write_text(readme(each), "utf-8")
        print(path)
