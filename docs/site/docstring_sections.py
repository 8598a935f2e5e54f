"""An extension of Griffe: the sections of a Keras docstring, in its words.

Griffe knows "Args", shows what it does not know in boxes, and takes each line
of "Returns" for a value of its own.
"""

import re
import textwrap

import griffe

SECTION = re.compile(
    r"^(Example|"
    r"(?:Input shape|Output shape|Reference|Returns|Weights.*)(?=:\n {4})):\n"
    r"((?:(?: {4}.*)?\n)*)",
    re.MULTILINE,
)


class DocstringSections(griffe.Extension):
    def on_object(self, *, obj, **kwargs):
        if obj.docstring is None:
            return
        text = obj.docstring.value + "\n"
        text = re.sub(
            "^Call arguments:$", "Other Args: Call arguments:", text, flags=re.M
        )
        obj.docstring.value = SECTION.sub(_plain, text)


def _plain(match):
    title, content = match.groups()
    return f"**{title}:**\n\n{textwrap.dedent(content).strip()}\n\n"
