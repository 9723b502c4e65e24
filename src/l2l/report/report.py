"""Executed reports: a notebook template becomes results/<protocol>/reports/<name>.ipynb and .html.

Templates are Python files in jupytext's percent format. They read the tables of the results and
nothing else. The HTML loads nothing from anywhere.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from l2l.config import Config
from l2l.errors import UserError
from l2l.files import write_text
from l2l.layout import Layout
from l2l.results import MEASURED

NOTEBOOKS = Path("workflow") / "notebooks"
TEMPLATES = Path(__file__).parent
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|object)\b[^>]*?\b(?:src|href|data)\s*=\s*"
    r"[\"']?((?:https?:)?//[^\"'\s>]+)|(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)",
    re.IGNORECASE,
)


def reports(config: Config) -> list[str]:
    """The figures of experiments and measurements that have a report, a template.

    Outside a checkout, where there is none: those that may have one; `execute_report` refuses.
    """
    named = dict.fromkeys((*config.figure_experiments(), *MEASURED))
    templates = {path.stem for path in NOTEBOOKS.glob("*.py")} or named
    return [name for name in named if name in templates]


def execute_report(
    name: str, config: Config, layout: Layout, notebooks: Path = NOTEBOOKS
) -> tuple[Path, Path]:
    """Execute a report's notebook and write it, as a notebook and as HTML.

    The notebook runs in the working directory and gets the parameters `settings` (the whole
    configuration, so that the written notebook says what it was made with).

    Args:
        name: <name>.py is the template.
        config: the configuration.
        layout: where the results lie, and where the report goes.
        notebooks: the folder of the templates.

    Returns:
        Paths of the .ipynb and the .html.

    Raises:
        UserError: there is no such template, or a cell failed; what was executed until then is
            kept as <name>.failed.ipynb.
    """
    source = notebooks / f"{name}.py"
    if not source.is_file():
        raise UserError(f"{source} is missing: run inside a checkout of this project")
    stem = layout.report(name)
    failed = stem.with_name(f"{name}.failed.ipynb")
    notebook = _execute(source, {"settings": config.model_dump(mode="json")}, failed)
    page = to_html(notebook, stem.with_suffix(".ipynb").name)
    outside = external_loads(page)
    if outside:
        raise UserError(f"{source}: its page would load {outside[0]}; reports work without network")
    write_text(stem.with_suffix(".ipynb"), nbformat.writes(notebook))
    write_text(stem.with_suffix(".html"), page)
    failed.unlink(missing_ok=True)
    return stem.with_suffix(".ipynb"), stem.with_suffix(".html")


def to_html(notebook: NotebookNode, notebook_name: str) -> str:
    """The executed notebook as one HTML page with its code folded.

    Args:
        notebook: its first heading is the title.
        notebook_name: the file that the page links to as its notebook.
    """
    from jinja2 import FileSystemLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        template_file="report.html",
        extra_loaders=[FileSystemLoader(TEMPLATES)],
        extra_template_basedirs=[],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    headings = (re.search(r"^# (.+)$", cell.source, re.MULTILINE) for cell in notebook.cells)
    title = next((found[1] for found in headings if found), "Report")
    page, _ = exporter.from_notebook_node(
        notebook, resources={"title": title, "notebook": notebook_name}
    )
    return str(page)


def external_loads(page: str) -> list[str]:
    """Addresses that a browser would fetch from elsewhere when it opens the page (not links)."""
    return [first or second for first, second in LOADED.findall(page)]


def _execute(source: Path, parameters: dict[str, Any], failed: Path) -> NotebookNode:
    """Run the notebook in this interpreter, from the working directory."""
    import jupytext
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from l2l.report.kernel import this_interpreter

    logging.getLogger("papermill").setLevel(logging.ERROR)
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    failed.parent.mkdir(parents=True, exist_ok=True)
    try:
        with this_interpreter() as manager:
            executed = papermill.execute_notebook(
                notebook,
                failed,  # kept up to date cell by cell, removed in the end if nothing failed
                parameters=parameters,
                kernel_name=KERNEL["name"],
                language=KERNEL["language"],
                progress_bar=False,
                kernel_manager_class=manager,
            )
    except PapermillExecutionError as error:
        told = f"{error.ename}: {error.evalue}" if error.ename != "UserError" else error.evalue
        raise UserError(f"{source}: {_one_line(told)} (executed so far: {failed})") from None
    except DeadKernelError:
        raise UserError(f"{source}: the interpreter died, maybe of too little memory") from None
    del executed.metadata["papermill"]  # temporary names and times of the day
    for index, cell in enumerate(executed.cells):
        cell["id"] = f"cell-{index}"  # random ones would make equal reports differ
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
    return executed


def _one_line(text: str) -> str:
    return " ".join(text.split())
