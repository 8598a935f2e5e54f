"""Every claim of the sources, its verdict, and the rows that show it.

    python -m experiments.findings

writes `docs/findings.md` and its figures from the committed results. It trains
nothing and takes seconds.
"""
