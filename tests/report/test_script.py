"""What the script of a page does to tables, figures and curves, in a browser."""

from __future__ import annotations

import html
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from l2l.report import page
from l2l.report.table import NUMBER, VERDICT, WORDS, Table

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SCRIPT = Path(page.__file__).with_name("page.js").read_text(encoding="utf-8")
PANELS = [
    {
        "title": "MNIST",
        "x": "step",
        "y": "loss",
        "box": [0.1, 0.1, 0.9, 0.9],
        "groups": [
            {
                "x": [0, 50, 100],
                "at": [0.1, 0.5, 0.9],
                "lines": [
                    {"name": "ADAM", "color": "#ff0000", "y": [2.3, 0.5, 0.4]},
                    {"name": "LSTM", "color": "#0000ff", "y": [2.3, 0.7, None]},
                ],
            }
        ],
    }
]
ROWS = [
    {"claim": f"C{k}", "loss": loss, "verdict": verdict}
    for k, loss, verdict in (
        (10, 3.0, "replicated"),
        (9, math.inf, "not replicated: of 3"),
        (8, -20.0, "replicated"),
        (7, math.nan, "inconclusive"),
        (6, 1.5, "replicated"),
        (5, 100.0, "not replicated"),
        (4, None, "replicated"),
        (3, 0.25, "replicated"),
    )
]
ROWS.insert(1, {"claim": None, "loss": 200.0, "verdict": "inconclusive"})  # goes on with C10
STEPS = """
const found = {};
const rows = () => [...document.querySelectorAll("#long tbody tr")].filter((row) => !row.hidden)
  .map((row) => row.cells[0].textContent || "+").join(" ");
const head = (column) => document.querySelectorAll("#long thead th")[column];
const press = (column) => { head(column).querySelector("button").click(); return rows(); };
found.buttons = document.querySelectorAll("#long .sort").length;
found.short = document.querySelectorAll("#short .filter, #short input").length;
found.byNumber = press(1);
found.sorted = head(1).getAttribute("aria-sort");
found.downward = press(1);
found.before = press(1);
found.unsorted = head(1).getAttribute("aria-sort");
found.byWord = press(0);
found.oneHead = document.querySelectorAll("#long [aria-sort]").length;
press(0), press(0);
const input = document.querySelector("#long input");
const type = (text) => {
  input.value = text;
  input.dispatchEvent(new Event("input"));
  return rows();
};
found.typed = type("c10 rep");
found.count = document.querySelector("#long output").textContent;
type("");
const chips = [...document.querySelectorAll("#long .chip")];
found.chips = chips.map((chip) => chip.textContent);
chips[1].click();
found.chosen = rows();
chips[2].click();
found.either = rows();
chips[1].click(), chips[2].click();
found.all = rows();

const paper = document.querySelector("a.paper"), picture = paper.querySelector("img");
const tip = () => {
  const tip = paper.parentElement.querySelector(".tip");
  return tip.hidden ? "" : [...tip.children].map((line) => line.textContent).join(" | ");
};
const point = (x, y) => {
  const box = picture.getBoundingClientRect();
  const at = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
  paper.dispatchEvent(new PointerEvent("pointermove", at));
  return tip();
};
const key = (name) => {
  paper.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
  return tip().split(" | ")[1];
};
found.middle = point(0.55, 0.5);
found.end = point(0.85, 0.5);
found.beside = point(0.05, 0.5);
found.keys = [key("ArrowRight"), key("ArrowRight"), key("ArrowLeft")];
const event = new MouseEvent("click", { cancelable: true });
paper.dispatchEvent(event);
found.stayed = event.defaultPrevented;
found.open = document.querySelector("dialog").open;
found.same = document.querySelector("dialog img").src === picture.src;
document.querySelector("dialog .close").click();
found.closed = !document.querySelector("dialog").open;
document.querySelector("button.paper").click();
found.reports = document.querySelector("dialog").open;
const shown = { id: "found", textContent: JSON.stringify(found) };
document.body.append(Object.assign(document.createElement("pre"), shown));
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps above saw in a page with two tables, a figure, and a report's picture."""
    if not BROWSER:
        pytest.skip("needs chromium")
    folder = tmp_path_factory.mktemp("page")
    formats = {"claim": WORDS, "loss": NUMBER, "verdict": VERDICT}
    picture = (
        '<img alt="x" src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 '
        'width=%22400%22 height=%22300%22/%3E" width="400" height="300">'
    )
    text = (
        f'<!DOCTYPE html><body><div id="long">{Table.of("Long", ROWS, formats).html()}</div>'
        f'<div id="short">{Table.of("Short", ROWS[:3], formats).html()}</div>'
        f'<figure><a class="paper" href="x.png">{picture}</a>'
        f'<script type="application/json" class="lines">{json.dumps(PANELS)}</script></figure>'
        f'<div class="output">{picture}</div><script>{SCRIPT}</script><script>{STEPS}</script>'
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", (folder / "index.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _, begin, rest = dom.partition('<pre id="found">')
    assert begin, dom
    return json.loads(html.unescape(rest.partition("</pre>")[0]))


def test_tables_sort_by_number_or_by_word_and_back(found: dict[str, Any]) -> None:
    assert found["buttons"] == 3
    assert found["byNumber"] == "C8 C3 C6 C10 + C5 C9 C7 C4", "what has no number comes last"
    assert found["downward"] == "C9 C10 + C5 C6 C3 C8 C7 C4"
    assert found["before"] == "C10 + C9 C8 C7 C6 C5 C4 C3"
    assert found["byWord"] == "C3 C4 C5 C6 C7 C8 C9 C10 +"
    assert (found["sorted"], found["unsorted"], found["oneHead"]) == ("ascending", None, 1)


def test_long_tables_filter_by_words_and_by_verdicts(found: dict[str, Any]) -> None:
    assert found["short"] == 0
    assert (found["typed"], found["count"]) == ("C10 +", "1 of 8")
    assert found["chips"] == ["✔ replicated", "? inconclusive", "✘ not replicated"]
    assert found["chosen"] == "C10 + C7"
    assert found["either"] == "C10 + C9 C7 C5"
    assert found["all"] == found["before"]


def test_curves_tell_their_numbers_from_the_top_line_down(found: dict[str, Any]) -> None:
    assert found["middle"] == "MNIST: loss | step 50 | LSTM 0.7 | ADAM 0.5"
    assert found["end"] == "MNIST: loss | step 100 | LSTM not finite | ADAM 0.4"
    assert found["beside"] == "", "outside of the panels there is nothing to tell"
    assert found["keys"] == ["step 0", "step 50", "step 0"]


def test_figures_open_large_and_close(found: dict[str, Any]) -> None:
    assert found["stayed"], "without the script the link leads to the file"
    assert found["open"]
    assert found["same"]
    assert found["closed"]
    assert found["reports"], "pictures of reports, too"
