"""Guides as notebooks.

A guide is a page; the notebook beside it is made of it, is run, and keeps what
its cells put out:

    python docs/site/notebooks.py [NAME ...]

As a hook of MkDocs this shows on the page the pictures of the notebook.
"""

import pathlib
import re
import sys
import tempfile

import nbformat

GUIDES = pathlib.Path(__file__).parents[1] / "guides"
NAMES = ("first_layer", "fusion", "many_models", "data")
BLOCK = re.compile(r"^```python\n.*?^```\n", re.DOTALL | re.MULTILINE)
PICTURE = '\n<img alt="What this code draws." src="data:image/png;base64,{}">\n'


def on_page_markdown(markdown, page, config, files):
    path = pathlib.Path(page.file.abs_src_path).with_suffix(".ipynb")
    if not path.exists():
        return markdown
    cells = nbformat.read(path, as_version=4).cells
    cells = iter([cell for cell in cells if cell.cell_type == "code"])

    def with_pictures(block):
        pictures = [
            PICTURE.format(output.data["image/png"].replace("\n", ""))
            for output in next(cells).outputs
            if output.output_type == "display_data"
        ]
        return block.group() + "".join(pictures)

    return BLOCK.sub(with_pictures, markdown)


def make(name):
    import jupytext
    import nbclient

    notebook = jupytext.read(GUIDES / f"{name}.md")
    with tempfile.TemporaryDirectory() as folder:
        nbclient.execute(notebook, cwd=folder, record_timing=False)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            # Progress and logs are of one run, on one machine.
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr"
            ]
    # Of the machine that ran it nothing is kept.
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        }
    }
    nbformat.write(notebook, GUIDES / f"{name}.ipynb")


if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        make(name)
