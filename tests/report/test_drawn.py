"""What the workflow asks of figures and reports, and the file that keeps the answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.workflow.harness import ROOT

from l2l.config import load_config
from l2l.report.drawn import KEPT, Drawn, drawn

OF_ALL = {"meta_training", "overhead", "updates", "unroll", "landscape", "step_size", "verdicts"}
"""Figures with measurements, logs or claims, and their reports: they show names of all studies."""


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def asked(folder: Path, *settings: str) -> Drawn:
    return drawn(load_config("smoke", settings=settings), folder / "drawn.json")


@pytest.mark.parametrize(
    ("setting", "figures", "reports"),
    [
        ("studies.cifar.about=Other words.", set(), {"cifar"}),
        ("claims.C8.statement=Other words.", set(), {"cifar"}),
        ("experiments.cifar10.title=Other words", {"cifar", "suite"}, {"cifar"}),
        ("recipes.cifar.label=Other words", {"cifar", "suite"}, {"cifar"}),
    ],
)
def test_editing_a_study_changes_its_own_figures_and_report_alone(
    tmp_path: Path, setting: str, figures: set[str], reports: set[str]
) -> None:
    before, after = asked(tmp_path), asked(tmp_path, setting)

    def changed(kind: str) -> set[str]:
        return {name for name, one in before[kind].items() if one != after[kind][name]}  # type: ignore[literal-required]

    assert changed("reports") - OF_ALL == reports
    assert changed("figures") - OF_ALL == figures


def test_answers_are_kept_until_something_changes(tmp_path: Path) -> None:
    first, other = asked(tmp_path), asked(tmp_path, "figures.dpi=99")
    file = tmp_path / "drawn.json"
    kept = json.loads(file.read_text())
    for answer in kept["answers"].values():
        answer["figures"] = {}
    file.write_text(json.dumps(kept))
    assert asked(tmp_path)["figures"] == asked(tmp_path, "figures.dpi=99")["figures"] == {}
    assert asked(tmp_path, "figures.dpi=98")["figures"], "a third configuration"
    file.write_text(json.dumps(kept | {"sources": "of another version"}))
    assert asked(tmp_path) == first
    assert asked(tmp_path, "figures.dpi=99") == other
    for damaged in ("", "[]", "{}", "{"):
        file.write_text(damaged)
        assert asked(tmp_path) == first


def test_a_few_answers_are_kept(tmp_path: Path) -> None:
    for dpi in range(90, 92 + KEPT):
        asked(tmp_path, f"figures.dpi={dpi}")
    kept = json.loads((tmp_path / "drawn.json").read_text())
    assert len(kept["answers"]) == KEPT
