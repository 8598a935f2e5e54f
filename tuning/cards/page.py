"""The page of a card: `card.html`, and its view in a notebook."""

import html
import pathlib
import re
import string

from matplotlib.colors import to_hex

from tuning.cards import verdict
from tuning.cards.asking import LEGENDS
from tuning.cards.asking import questions
from tuning.cards.drawing import colour_map

HERE = pathlib.Path(__file__).parent
GOOD = ("yes", "–")


def page(card):
    """Returns the page as text; it needs no other file."""
    template = string.Template((HERE / "page.html").read_text(encoding="utf-8"))
    return template.substitute(title=html.escape(card.title), body=body(card))


def body(card):
    """Returns what stands between the tags of `body`, with its style."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    parts = [
        f"<style>{style}</style>",
        '<div class="report-card">',
        '<div class="layers">',
        *(_layer(card, layer) for layer in card.layers),
        "</div>",
        *(f'<p class="note">{LEGENDS[kind]}</p>' for kind in card.kinds),
        *(_among_known(card, kind) for kind in card.kinds),
        _asked(card),
        f'<p class="note">{html.escape(card.about)}</p>',
        "</div>",
    ]
    return "\n".join(parts)


def _layer(card, layer):
    near = card.neighbours[layer["name"]]
    parts = [
        "<section>",
        f"<h1>{html.escape(layer['name'])}</h1>",
        f'<p class="verdict">{html.escape(layer["verdict"])}</p>',
    ]
    if near:
        names = ", ".join(f"<b>{html.escape(name)}</b>" for name in near)
        parts.append(f"<p>Nearest known layers: {names}.</p>")
    parts.append(_tiles(layer))
    if card.cost_line(layer):
        line = card.cost_line(layer)
        parts.append(f"<p>{html.escape(line[0].upper() + line[1:])}.</p>")
    parts.append(_facts(card, layer))
    for note in card.notes(layer):
        line, _, code = note.partition("\n")
        parts.append(f'<p class="note">{html.escape(line)}</p>')
        if code:
            parts.append(f"<pre>{html.escape(code)}</pre>")
    return "\n".join([*parts, "</section>"])


def _tiles(layer):
    """Returns a tile for each question, under their headings."""
    parts, previous = ['<div class="questions">'], None
    for question in questions(layer["kind"]):
        if question.heading != previous:
            if previous is not None:
                parts.append("</ul></div>")
            parts.append(f"<div><h2>{html.escape(question.heading)}</h2><ul>")
            previous = question.heading
        score = layer["scores"].get(question.key)
        kind, style, text = _look(score)
        parts.append(
            f'<li class="{kind}"{style} title="{html.escape(question.key)}">'
            f"<b>{html.escape(question.sign)}</b> <span>{text}</span></li>"
        )
    return "\n".join([*parts, "</ul></div></div>"])


def _look(score):
    """Returns a score's class, style and text."""
    if score is None:
        return "unasked", "", "not asked"
    share = min(max(score, 0), 1)
    style = f' style="background:{to_hex(colour_map()(share))}"'
    if score >= verdict.LEARNED:
        return "learned", style, f"✓ {verdict.rounded(score)}"
    return "asked", style, verdict.rounded(score)


def _facts(card, layer):
    frame = card.facts(layer)
    parts = ['<div class="scroll"><table class="facts"><tr><th></th>']
    parts += [f"<th>{html.escape(name)}</th>" for name in frame.columns]
    parts.append("</tr>")
    for name, row in frame.iterrows():
        parts.append(f"<tr><th>{html.escape(name)}</th>")
        for what in row:
            # A traceback stands in the notes, in full.
            line = str(what).splitlines()[0]
            kind = "good" if line in GOOD else "bad"
            shown = "✓" if line == "yes" else html.escape(line[:60])
            parts.append(
                f'<td class="{kind}" title="{html.escape(line)}">{shown}</td>'
            )
        parts.append("</tr>")
    return "".join([*parts, "</table></div>"])


def _among_known(card, kind):
    """Returns a strip of colours for each layer, the best first."""
    mine = [each for each in card.layers if each["kind"] == kind]
    known = card.known(kind)
    if not known:
        return ""
    asked = questions(kind)
    near = {name for each in mine for name in card.neighbours[each["name"]]}
    rows = sorted(
        [*mine, *known],
        key=lambda each: (
            -sum(max(s, 0) for s in each["scores"].values())
            / max(len(each["scores"]), 1)
        ),
    )
    headings = list(dict.fromkeys(each.heading for each in asked))
    counts = [
        sum(each.heading == heading for each in asked) for heading in headings
    ]
    parts = [
        "<h2>Among the known layers</h2>",
        "<p>The layers that score most come first. Dark is learned, pale is "
        "not; ● marks the nearest.</p>",
        '<div class="scroll"><table class="strips"><thead><tr><th></th>',
        *(
            f'<th colspan="{count}">{html.escape(heading)}</th>'
            for heading, count in zip(headings, counts, strict=True)
        ),
        "<th></th></tr><tr><th></th>",
        *(
            f'<th class="sign{_first(asked, i)}"><span>'
            f"{html.escape(question.sign)}</span></th>"
            for i, question in enumerate(asked)
        ),
        '<th class="sign"><span>step time</span></th></tr></thead><tbody>',
    ]
    for layer in rows:
        is_mine = any(layer is each for each in mine)
        mark = " ●" if layer["name"] in near else ""
        parts.append(
            f"<tr{' class=mine' if is_mine else ''}>"
            f"<th>{html.escape(layer['name'])}{mark}</th>"
        )
        for i, question in enumerate(asked):
            score = layer["scores"].get(question.key)
            kind_, style, text = _look(score)
            parts.append(
                f'<td class="{kind_}{_first(asked, i)}"{style} title="'
                f"{html.escape(f'{question.sign}, {question.heading}: {text}')}"
                '"></td>'
            )
        time = (layer["cost"] or {}).get("step_time")
        shown = f"{verdict.ratio(time)}×" if time else "–"
        parts.append(f'<td class="time">{shown}</td></tr>')
    return "".join([*parts, "</tbody></table></div>"])


def _first(asked, i):
    """Returns a class for the first question of a heading but the first."""
    return " first" if i and asked[i].heading != asked[i - 1].heading else ""


def _asked(card):
    """Returns the questions, and the rules of the verdict."""
    rules = re.sub(r"\*(\w+)\*", r"<i>\1</i>", html.escape(verdict.__doc__))
    rules = re.sub(r"`([^`]+)`", r"<code>\1</code>", rules)
    rules = rules.partition("\n\n")[2].replace("\n- ", "<br>• ")
    rules = "".join(f"<p>{each}</p>" for each in rules.split("\n\n"))
    return (
        "<details><summary>What is asked, and how the verdict is found"
        "</summary><p>Two vectors <code>a</code> and <code>b</code>, of bits "
        "or of numbers, are given to the layer, which learns to return them "
        "(a, b), their sum (a + b), product (a ∘ b) or logic element by "
        "element, their dot product (a · b), or the sum of all elements (Σ). "
        "A linear dense layer follows where its output is not as wide as the "
        "label. For arithmetic, <code>s</code> and <code>t</code> are sums of "
        "two of eight numbers in [1, 2), found by a linear dense layer of two "
        "units before the layer; the larger numbers are in [2, 6). "
        "Layers of images are three after each other, in front of a classifier "
        "of handwritten digits among pieces of others. A score is (accuracy − "
        "constant) / (1 − constant): 1 is perfect, 0 no better than the best "
        f"constant.</p>{rules}</details>"
    )
