"""HTML elements. Whatever text they hold is escaped when they are written."""

from xml.etree import ElementTree

import pandas as pd

# Tables of more rows than this scroll by themselves.
LONG = 40


def element(tag, *children, **attributes):
    """Returns an element.

    Args:
        tag: Its name.
        *children: Elements, and texts between them.
        **attributes: Its attributes; `class_` stands for `class`, and `data_x`
            for `data-x`.
    """
    node = ElementTree.Element(
        tag,
        {
            name.rstrip("_").replace("_", "-"): str(value)
            for name, value in attributes.items()
        },
    )
    for child in children:
        if not isinstance(child, str):
            node.append(child)
        elif len(node):
            node[-1].tail = (node[-1].tail or "") + child
        else:
            node.text = (node.text or "") + child
    return node


def to_html(nodes):
    """Returns elements as text."""
    return "\n".join(
        ElementTree.tostring(node, encoding="unicode", method="html")
        for node in nodes
    )


def show(value, text):
    """Returns a number as people read it, by a format string."""
    shown = text.format(value)
    # A zero has no sign.
    if not shown.strip("+-0.,"):
        shown = shown.lstrip("+-")
    return shown.replace("-", "−")


def table(rows, columns, identifier=None):
    """Returns a table that is sorted by a click on a heading.

    Args:
        rows: Data frame. Its column `status`, if there is one, names the class
            of a row.
        columns: List of names, headings and formats. Columns that are empty
            throughout are left out. Where the format is a callable, it returns
            the children of the cell for a row's dictionary.
        identifier: The table's id, or None.
    """
    columns = [
        each
        for each in columns
        if callable(each[2]) or rows[each[0]].notna().any()
    ]
    head = element("tr")
    for _, heading, _ in columns:
        head.append(element("th", element("button", heading)))
    body = element("tbody")
    for row in rows.to_dict("records"):
        kind = row.get("status", "")
        line = element("tr", **({"class_": kind} if kind else {}))
        line.extend(_cell(row, name, text) for name, _, text in columns)
        body.append(line)
    attributes = {} if identifier is None else {"id": identifier}
    return element(
        "div",
        element(
            "table",
            element("thead", head),
            body,
            class_="sortable",
            **attributes,
        ),
        class_="scroll long" if len(rows) > LONG else "scroll",
    )


def _cell(row, name, text):
    if callable(text):
        return element("td", *text(row), class_=name)
    value = row[name]
    if pd.isna(value):
        return element("td")
    if text == "numbers":
        first = value.split(",")[0]
        return element("td", value, class_="number", data_value=first)
    if isinstance(value, str):
        return element("td", value, class_=name)
    return element(
        "td", show(value, text), class_="number", data_value=f"{value:.9g}"
    )
