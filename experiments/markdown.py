"""Tables in Markdown."""


def table(head, rows):
    """Returns a table: the first column to the left, all others to the right.

    Args:
        head: List of the columns' names.
        rows: List of rows, each a list of texts.
    """
    marks = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))
