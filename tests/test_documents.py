"""Numbers in README and docs/ are those of the committed tables, and links lead somewhere."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pandas as pd
import pytest
import typer

from l2l.cli.app import app
from l2l.config import Config, load_config
from l2l.data.styles import PAINTINGS
from l2l.evaluation.verdicts import read_claims
from l2l.report.claims import MARKED, fill, marked_tables, overview
from l2l.report.table import Interval, effect
from l2l.shipped import optimizer_path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RECORD = DOCS / "replication"
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
RUNNING = " ".join((DOCS / "running.md").read_text(encoding="utf-8").split())
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *sorted(DOCS.rglob("*.md"))]
WITH_TABLES = [RECORD / "README.md", DOCS / "not_replicated.md", ROOT / "README.md"]
INTERVAL = re.compile(r"(?:[+−]?[\d.,]+|0) % \[[^\]]*\]")


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config("default")


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    return read_claims(RECORD / "claims.csv")


def plain(text: str) -> str:
    """With ordinary spaces, and lines joined."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_marked_tables_are_those_of_the_committed_claims(
    claims: pd.DataFrame, config: Config, tmp_path: Path
) -> None:
    for page in WITH_TABLES:
        copy = tmp_path / page.name
        copy.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
        fill(copy, marked_tables(claims, config))
        assert copy.read_text() == page.read_text(), f"{page.name}: run make publish"
    rows = overview(claims, config, "Verdicts").markdown()
    assert rows in (RECORD / "tables.md").read_text(encoding="utf-8")


def test_every_interval_in_a_text_is_that_of_a_claim(claims: pd.DataFrame) -> None:
    page = DOCS / "not_replicated.md"
    rows = claims[["estimate", "low", "high"]].itertuples(index=False)
    known = {plain(effect(Interval(*row))) for row in rows}
    intervals = INTERVAL.findall(plain(MARKED.sub("", page.read_text(encoding="utf-8"))))
    assert len(intervals) > 4
    assert not {*intervals} - known


def test_what_decides_on_each_claim_is_said(config: Config) -> None:
    rows = re.findall(r"^\| (C[\dC, ]+) \|", (DOCS / "claims.md").read_text(), re.MULTILINE)
    assert [key for row in rows for key in row.split(", ")] == [*config.claims]


def test_readme_is_short() -> None:
    text = MARKED.sub("", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(re.sub(r"[|-]", " ", text).split()) <= 600


def minutes(text: str) -> int:
    """ "61 min 19 s", to the minute."""
    match = re.fullmatch(r"(\d+) min (\d+) s", text)
    assert match, text
    return round(int(match[1]) + int(match[2]) / 60)


def test_times_are_those_of_the_committed_run() -> None:
    text = (RECORD / "README.md").read_text(encoding="utf-8")
    times = dict(re.findall(r"^\| ([\w, -]+) \| (\d+ min \d+ s) \|$", text, re.MULTILINE))
    quadratics = minutes(times["quadratics and MNIST"])
    transfers = minutes(times["transfers, architecture study and CIFAR"])
    art = minutes(times["Neural Art"])
    expected = (
        f"{quadratics} minutes for quadratics and MNIST, {transfers} for transfers and CIFAR, "
        f"{art} for Neural Art (measured)"
    )
    assert expected in RUNNING
    assert f"{minutes(times['environment'])} to 5 minutes" in RUNNING
    outlook = re.search(r"(\d+) minutes on 2 cores", plain((RECORD / "outlook.md").read_text()))
    assert outlook
    assert f"{outlook[1]} for the outlook" in RUNNING
    without = re.search(r"took (\d+) minutes of CPU, so ([\d.]+) hours on 2 cores", plain(text))
    assert without
    assert float(without[2]) == round(int(without[1]) / 120, 1)
    assert f"{without[2]} hours (added up" in RUNNING


def test_speed_is_that_of_the_engines_table() -> None:
    text = (DOCS / "engine.md").read_text(encoding="utf-8")

    def median(row: str) -> float:
        match = re.search(rf"^\| [^|]*{row}[^|]* \| ([\d.]+) \|", text, re.MULTILINE)
        assert match, row
        return float(match[1])

    plain_pytorch = median("plain PyTorch: LSTMCell")
    exact = plain_pytorch / median("meta-training step, exact")
    sampled = plain_pytorch / median("meta-training step, 10 % of the coordinates")
    assert f"{exact:.1f} times as fast as plain PyTorch exact and {sampled:.1f} times" in text
    assert f"is {sampled:.0f} times as fast as in plain PyTorch ({exact:.0f} times" in RUNNING


def test_readme_costs_of_a_learned_optimizer_are_the_measured_ones() -> None:
    measured = pd.read_csv(RECORD / "overhead.csv")
    large = measured[(measured["timed"] == "mnist_paper") & (measured["problem"] == "cifar10")]
    assert f"{statistics.median(large['state_bytes']):.0f} bytes of state for each" in README
    steps = measured[(measured["problem"] == "mnist") & (measured["implementation"] == "default")]
    seconds = steps.groupby("timed")["seconds"].mean()
    ratio = seconds["mnist_paper"] / seconds["adam"]
    assert f"about {round(ratio, -1):.0f} times as long as ADAM's" in README


def test_counts_and_sizes_are_those_of_the_files() -> None:
    kilobytes = optimizer_path("mnist").stat().st_size / 1000
    assert f"{kilobytes:.0f} KB for an LSTM" in RUNNING
    photographs = pd.read_csv(ROOT / "src" / "l2l" / "data" / "photographs.csv")
    assert f"{len(photographs):,} photographs, {len(PAINTINGS)} paintings" in RUNNING


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert not [link for link in local if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    folders = "config|docs|examples|src|studies|tests|workflow/rules|workflow/profiles"
    named = {*re.findall(rf"`((?:{folders})/[\w/.-]+)`", text)}
    named |= {f"tests/{name}" for name in re.findall(r"`((?!tests/)(?:\w+/)?test_\w+\.py)`", text)}
    if page.name == "extending.md":  # has the contents of new files
        named -= {*re.findall(r"^`(src/\S+)`:$", text, re.MULTILINE)}
    assert not [name for name in named if not (ROOT / name).exists()]


def test_commands_that_are_named_exist() -> None:
    known = {*typer.main.get_command(app).commands}  # type: ignore[attr-defined]
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
        lines = [line for part in code for line in part.splitlines()]
        calls = r"(?:^|&& |do )l2l ([a-z]\w*(?:-\w+)*)"
        assert {name for line in lines for name in re.findall(calls, line)} <= known, page.name
