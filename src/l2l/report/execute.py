"""Executed reports: a notebook template becomes results/<run>/reports/<name>.ipynb and .html.

Templates are Python files in jupytext's percent format (`l2l.report.notebook` has what their cells
call). The HTML loads nothing from anywhere. This module imports nothing that only the cells need.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from l2l.config import Config, changes
from l2l.errors import UserError, known
from l2l.files import write_text
from l2l.layout import Layout

if TYPE_CHECKING:  # imported where they are used: each takes a second
    from jupyter_client.manager import AsyncKernelManager
    from nbformat import NotebookNode

NOTEBOOKS = Path("workflow") / "notebooks"
TEMPLATES = Path(__file__).parent
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}


def execute_report(name: str, config: Config, notebooks: Path = NOTEBOOKS) -> tuple[Path, Path]:
    """Execute a report's notebook and write it, as a notebook and as HTML.

    The notebook runs in the working directory and gets the parameter `settings`, the protocol and
    what is changed in it, so that the written notebook says what it was made with.

    Args:
        name: <name>.py is the template.
        config: the configuration.
        notebooks: the folder of the templates.

    Returns:
        Paths of the .ipynb and the .html.

    Raises:
        UserError: there is no such template, or a cell failed; what was executed until then is
            kept as <name>.failed.ipynb.
    """
    import jupytext
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    if not notebooks.is_dir():
        raise UserError(f"{notebooks} is missing: run inside a checkout of this project")
    known("report", name, sorted(path.stem for path in notebooks.glob("*.py")))
    source = notebooks / f"{name}.py"
    stem = Layout(config.run_name).report(name)
    failed = stem.with_name(f"{name}.failed.ipynb")
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    failed.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix="l2l-ipython-") as folder:
            notebook = papermill.execute_notebook(
                notebook,
                failed,  # kept up to date cell by cell, removed in the end if nothing failed
                parameters={"settings": changes(config)},
                kernel_name=KERNEL["name"],
                language=KERNEL["language"],
                progress_bar=False,
                start_timeout=600,  # seconds until the kernel answers: machines are busy
                kernel_manager_class=_this_interpreter(folder),
            )
    except PapermillExecutionError as error:
        reason = f"{error.ename}: {error.evalue}" if error.ename != "UserError" else error.evalue
        reason = " ".join(reason.split())
        raise UserError(f"{source}: {reason} (executed so far: {failed})") from None
    except DeadKernelError:
        raise UserError(f"{source}: the interpreter died, maybe of too little memory") from None
    del notebook.metadata["papermill"]  # temporary names and times of the day
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{index}"  # random ones would make equal reports differ
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
    write_text(stem.with_suffix(".ipynb"), nbformat.writes(notebook))
    write_text(stem.with_suffix(".html"), to_html(notebook, f"{name}.ipynb"))
    failed.unlink(missing_ok=True)
    return stem.with_suffix(".ipynb"), stem.with_suffix(".html")


def _this_interpreter(folder: str) -> type[AsyncKernelManager]:
    """A kernel manager that starts sys.executable, with none of the user's IPython settings.

    Jupyter looks a kernel up by its name, in the user's folders first: "python3" there may be any
    Python, without this package or with another version of it.

    Args:
        folder: empty, in the place of the user's IPython folder.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    launcher = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    spec = KernelSpec(
        argv=[*launcher, "--log-level=ERROR"],
        display_name=KERNEL["display_name"],
        language=KERNEL["language"],
        env={"IPYTHONDIR": folder, "PYTHONSTARTUP": ""},  # no startup files, no history database
    )

    class ThisInterpreter(AsyncKernelManager):
        kernel_spec = spec

    return ThisInterpreter


def to_html(notebook: NotebookNode, notebook_name: str = "") -> str:
    """The executed notebook as one HTML page with its code folded.

    Args:
        notebook: its first heading is the title.
        notebook_name: the file that the page links to as its notebook; empty: none.
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
    title = next((heading[1] for heading in headings if heading), "Report")
    page, _ = exporter.from_notebook_node(
        notebook, resources={"title": title, "notebook": notebook_name}
    )
    return str(page)
