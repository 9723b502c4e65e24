"""Executed reports of a small run."""

import contextlib
import json
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest

from l2l.config import Config, load_config
from l2l.errors import UserError
from l2l.report.execute import execute_report
from l2l.report.notebook import BESIDE
from l2l.report.sections import section_of
from l2l.results import Results

from .conftest import CHECKOUT
from .test_page import check, external_loads

NOTEBOOKS = CHECKOUT / "workflow" / "notebooks"


def run(
    name: str, config: Config, root: Path, notebooks: Path
) -> tuple[nbformat.NotebookNode, str]:
    with contextlib.chdir(root):
        notebook, page = execute_report(name, config, notebooks)
        return nbformat.read(notebook, as_version=4), page.read_text(encoding="utf-8")


def write_notebook(folder: Path, *cells: str) -> Path:
    """A template `quadratics` whose code cells are given."""
    parameters = '# %% tags=["parameters"]\nsettings = None\n'
    body = "\n".join(f"# %%\n{cell}\n" for cell in cells)
    title = "# %% [markdown]\n# # A title\n\n"
    (folder / "quadratics.py").write_text(f"{title}{parameters}\n{body}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "pictures", "heading"),
    [
        ("quadratics", 6, "Quadratics: can an update rule be learned?"),
        ("style_curves", 5, "Neural Art: learned optimizers that paint"),
    ],
)
def test_reports_execute_and_load_nothing(
    config: Config, copy: Path, name: str, pictures: int, heading: str
):
    """With pictures of other sections, and of Neural Art. tests/workflow executes all."""
    notebook, page = run(name, config, copy, NOTEBOOKS)
    assert external_loads(page) == []
    assert "<script src" not in page
    checker = check(page)
    assert len(checker.pictures) == pictures
    assert all((shown["src"] or "").startswith("data:image/png") for shown in checker.pictures)
    text = " ".join(" ".join(checker.text).split())
    for expected in (heading, "LSTM", "0.0316", "The verdict", "What to be careful about"):
        assert expected in text
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert any(f'Report("{name}", settings)' in cell.source for cell in code)


def test_figures_of_other_sections_are_declared():
    """`BESIDE` says so to the rules, which see to it that the figures are there."""
    results = Results(load_config())
    for path in NOTEBOOKS.glob("*.py"):
        shown = re.findall(r"report\.picture\(\"(\w+)\"\)", path.read_text())
        own = {figure.name for figure in section_of(path.stem, results).figures}
        assert {*shown} - own == {*BESIDE.get(path.stem, ())} - own, path.stem


def test_no_template_shows_anything_from_elsewhere():
    for path in NOTEBOOKS.glob("*.py"):
        text = path.read_text()
        assert not external_loads(text), path.stem
        assert not re.search(r"!\[[^]]*\]\((https?:)?//", text), path.stem


def test_equal_reports_have_equal_bytes(config: Config, copy: Path, tmp_path_factory):
    folder = write_notebook(tmp_path_factory.mktemp("notebooks"), "1 + 1")
    first, page = run("quadratics", config, copy, folder)
    second, again = run("quadratics", config, copy, folder)
    assert first == second
    assert page == again


def test_the_kernel_is_this_interpreter_whatever_the_user_has(
    config: Config, copy: Path, tmp_path_factory, monkeypatch: pytest.MonkeyPatch
):
    kernels = tmp_path_factory.mktemp("jupyter") / "kernels" / "python3"
    kernels.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "another", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(kernels.parents[1]))
    startup = tmp_path_factory.mktemp("ipython")
    (startup / "profile_default" / "startup").mkdir(parents=True)
    (startup / "profile_default" / "startup" / "00.py").write_text("print('from the user')")
    monkeypatch.setenv("IPYTHONDIR", str(startup))
    folder = write_notebook(tmp_path_factory.mktemp("notebooks"), "import sys; print(sys.prefix)")
    notebook, _ = run("quadratics", config, copy, folder)
    assert notebook.cells[-1].outputs[0].text.strip() == sys.prefix
    assert "from the user" not in nbformat.writes(notebook)


def test_the_notebook_gets_the_configuration(config: Config, copy: Path, tmp_path_factory):
    folder = write_notebook(
        tmp_path_factory.mktemp("notebooks"),
        "from l2l.config import load_config; print(load_config(overrides=settings).meta_seeds)",
    )
    notebook, _ = run("quadratics", config, copy, folder)
    assert notebook.cells[-1].outputs[0].text.strip() == str(config.meta_seeds)


def test_a_failing_cell_is_one_line_and_what_ran_is_kept(
    config: Config, copy: Path, tmp_path_factory
):
    folder = write_notebook(
        tmp_path_factory.mktemp("notebooks"), "print('before')", "raise KeyError('no such\\nkey')"
    )
    reports = copy / "results" / "default" / "reports"
    before = (reports / "quadratics.html").read_text()
    with pytest.raises(UserError) as caught:
        run("quadratics", config, copy, folder)
    message = str(caught.value)
    assert "\n" not in message
    assert "quadratics.py" in message
    assert "KeyError" in message
    assert "quadratics.failed.ipynb" in message
    assert "before" in (reports / "quadratics.failed.ipynb").read_text()
    assert (reports / "quadratics.html").read_text() == before
    run("quadratics", config, copy, write_notebook(folder, "1"))
    assert sorted(path.name for path in reports.glob("quadratics*")) == [
        "quadratics.html",
        "quadratics.ipynb",
    ]


def test_a_missing_table_is_told_as_it_is(config: Config, copy: Path):
    os.unlink(copy / "results" / "default" / "tuning" / "quadratics.csv")
    with pytest.raises(UserError, match=r"quadratics\.csv is missing: run l2l test quadratics"):
        run("quadratics", config, copy, NOTEBOOKS)


def test_a_missing_template_is_an_error(config: Config, tmp_path: Path):
    with pytest.raises(UserError, match=r"no report 'nothing'"):
        execute_report("nothing", config, tmp_path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<script src="https://a.b/c.js"></script>', ["https://a.b/c.js"]),
        ("<link rel=stylesheet href=//a.b/c.css>", ["//a.b/c.css"]),
        ("<style>@import 'http://a.b/c.css';</style>", ["http://a.b/c.css"]),
        ("<p style=\"background: url('https://a.b/c.png')\">", ["https://a.b/c.png"]),
        ('<a href="https://a.b">a link</a><img src="data:image/png;base64,//a">', []),
    ],
)
def test_external_loads_are_found_and_links_are_not(text: str, found: list[str]):
    assert external_loads(text) == found
