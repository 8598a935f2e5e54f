"""A hook of MkDocs: pages may link to files anywhere in the repository.

A link in `docs/findings.md` to `../experiments/widths/README.md` works on a
repository's page. Here the files that pages link to are taken into the site,
under their path in the repository, and the links are made to lead there.
"""

import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[2]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s:]+?)(#[^)\s]*)?\)")
CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def on_files(files, config):
    """Adds the files that pages link to, and those that they link to."""
    pages = [file for file in files if file.is_documentation_page()]
    while pages:
        page = pages.pop()
        text = pathlib.Path(page.abs_src_path).read_text("utf-8")
        for _, _, link, _ in LINK.findall(CODE.sub("", text)):
            name = _source(link, page.src_uri)
            path = ROOT / name
            if name.startswith("docs/") or not path.is_file():
                continue
            if files.get_file_from_path(name) is None:
                file = File.generated(config, name, abs_src_path=str(path))
                files.append(file)
                if file.is_documentation_page():
                    pages.append(file)
    return files


def on_page_markdown(markdown, page, config, files):
    """Points links to where the site has the files."""

    def replace(match):
        mark, text, link, anchor = match.groups()
        name = _source(link, page.file.src_uri)
        if not (ROOT / name).exists():
            return match.group()  # MkDocs says that it leads nowhere.
        name = name.removeprefix("docs/")
        if files.get_file_from_path(name) is None:
            return text  # a folder, which the site does not have
        here = posixpath.dirname(page.file.src_uri)
        name = posixpath.relpath(name, here or ".")
        return f"{mark}[{text}]({name}{anchor or ''})"

    parts = CODE.split(markdown)
    parts[::2] = [LINK.sub(replace, part) for part in parts[::2]]
    return "".join(parts)


def _source(link, page):
    """The path in the repository of what a page links to.

    A folder stands for its README, as on a repository's page.
    """
    here = page if (ROOT / page).is_file() else f"docs/{page}"
    name = posixpath.normpath(posixpath.join(posixpath.dirname(here), link))
    readme = f"{name}/README.md"
    return readme if (ROOT / readme).is_file() else name
