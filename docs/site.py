"""The pages of the site that are not in docs/, links between all of them, formulas, the reference.

On a forge the Markdown files are read where they stand. On the site README is the first page, a
link to a file of the repository leads to a page with its text, and one to a folder to a list of its
files. Formulas become MathML, which browsers show without a script.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

import latex2mathml.converter
import nbformat
from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "docs/digits.ipynb": "digits.md",
}
"""Files of the repository -> pages of the site; those of docs/ keep their names."""
CODE = r"(?P<code>^( *)(?P<fence>```+)(?P<language>\w*)\n(?P<text>.*?)^\2(?P=fence)$|`[^`\n]+`)"
LINK = re.compile(CODE + r"|\]\((?P<link>[^)#\s]+)(?P<anchor>#[^)]*)?\)", re.DOTALL | re.MULTILINE)
MATH = re.compile(CODE + r"|\$(?P<inline>[^$\n]+(?:\n[^$\n]+)?)\$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"Dockerfile": "dockerfile", ".cff": "yaml", ".h": "cpp", ".smk": "python"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let the reference have a page for each part of the package."""
    for entry in config.nav or ():
        if entry.get("Reference"):
            entry["Reference"] = [f"reference/{name}.md" for name in _parts()]
    config.markdown_extensions.append(Doctests())  # type: ignore[arg-type]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add README and its like, the notebook, what pages link to, and the reference."""
    for name, page in PAGES.items():
        if name.endswith(".md"):
            text = (ROOT / name).read_text(encoding="utf-8")
        else:
            text = _notebook(files, config, ROOT / name)
        files.append(File.generated(config, page, content=text))
    for name in _parts():
        files.append(
            File.generated(config, f"reference/{name}.md", content=f"# {name}\n\n::: {name}\n")
        )
    pages = {_origin(file): file.content_string for file in files if file.is_documentation_page()}
    linked = {
        target
        for origin, text in pages.items()
        for match in LINK.finditer(text)
        if (target := _target(origin, match))
    }
    known = {file.src_uri for file in files}
    for target in sorted(linked):
        page = _page(target)
        if page.startswith("source/") and page not in known and (ROOT / target).exists():
            files.append(File.generated(config, page, content=_source(target)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to where their targets are on the site; write formulas as MathML."""
    origin, here = _origin(page.file), str(PurePosixPath(page.file.src_uri).parent)

    def link(match: re.Match[str]) -> str:
        target = _target(origin, match)
        if target is None:
            return match[0]
        return f"]({relpath(_page(target), here)}{match['anchor'] or ''})"

    return MATH.sub(_mathml, LINK.sub(link, markdown))


def _parts() -> list[str]:
    packages = sorted(path.parent.name for path in ROOT.glob("src/l2l/*/__init__.py"))
    modules = sorted(path.stem for path in ROOT.glob("src/l2l/[a-z]*.py"))
    names = sorted([*packages, *modules], key=lambda name: name not in ("torch_optim", "shipped"))
    return [f"l2l.{name}" for name in names]


def _origin(file: File) -> str:
    """Where a page of the site stands in the repository."""
    named = {page: name for name, page in PAGES.items()}
    return named.get(file.src_uri, f"docs/{file.src_uri}")


def _target(origin: str, match: re.Match[str]) -> str | None:
    """What a link names, from the top of the repository; None for code and for other sites."""
    link = match["link"]
    if link is None or re.match(r"\w+:", link):
        return None
    return normpath(f"{PurePosixPath(origin).parent}/{link}")


def _page(target: str) -> str:
    """The file of the site for one of the repository."""
    if target in PAGES:
        return PAGES[target]
    path = ROOT / target
    if target.startswith("docs/") and not path.is_dir() and path.suffix != ".py":
        return target.removeprefix("docs/")
    return f"source/{target}.md"


def _source(target: str) -> str:
    """A page that shows a file or the list of a folder's files."""
    path = ROOT / target
    if path.is_dir():
        names = sorted(str(each.relative_to(ROOT)) for each in path.rglob("*") if each.is_file())
        return f"# {target}/\n\n" + "".join(f"- `{x}`\n" for x in names if "__pycache__" not in x)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    language = LANGUAGES.get(path.suffix or path.name, path.suffix.removeprefix(".") or "text")
    return f"# {target}\n\n````{language}\n{text}\n````\n"


def _notebook(files: Files, config: MkDocsConfig, path: Path) -> str:
    """An executed notebook as a page; its pictures are added to the files."""
    notebook = nbformat.read(path, as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    for name, content in resources["outputs"].items():
        files.append(File.generated(config, name, content=content))
    return str(text)


def _mathml(match: re.Match[str]) -> str:
    if match["code"] and match["language"] != "math":
        return match[0]
    formula, display = (match["text"], "block") if match["code"] else (match["inline"], "inline")
    text = latex2mathml.converter.convert(formula.strip(), display=display).replace("\n", " ")
    # On a narrow screen a long formula scrolls by itself.
    return (
        f'<span style="display: block; overflow-x: auto">{text}</span>' if match["code"] else text
    )


class Doctests(Extension):
    """Examples in docstrings as code, where Markdown would quote them thrice."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802, its name in Markdown
        """Register the extension, before fences are looked for."""
        md.preprocessors.register(_Doctests(md), "doctests", 1000)


class _Doctests(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        text = re.sub(
            r"^>>> .*?(?=\n\s*\n|\Z)", _fenced, "\n".join(lines), flags=re.DOTALL | re.MULTILINE
        )
        return text.split("\n")


def _fenced(match: re.Match[str]) -> str:
    return f"```pycon\n{match[0].rstrip()}\n```"
