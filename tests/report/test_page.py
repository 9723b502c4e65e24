"""The page of a small run."""

import base64
import contextlib
import html.parser
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from l2l.config import Config
from l2l.errors import UserError
from l2l.figures.base import figures
from l2l.figures.style import save
from l2l.figures.style_images import FREE
from l2l.files import write_table
from l2l.layout import Layout
from l2l.report.page import build_page, markdown
from l2l.report.sections import ShownFigure
from l2l.results import Results

from .conftest import set_stand_ins

LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|object)\b[^>]*?\b(?:src|href|data)\s*=\s*"
    r"[\"']?((?:https?:)?//[^\"'\s>]+)|(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)",
    re.IGNORECASE,
)
VOID = {"meta", "link", "img", "br", "hr", "input", "circle", "line", "polygon"}


def external_loads(page: str) -> list[str]:
    """Addresses that a browser would fetch from elsewhere when it opens the page (not links)."""
    return [first or second for first, second in LOADED.findall(page)]


class Checker(html.parser.HTMLParser):
    """Every tag that is opened is closed, in order; collects ids, links, pictures and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag == "img":
            self.pictures.append(found)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    return checker


@pytest.fixture(scope="module")
def page(finished: Path, config: Config) -> str:
    return build_page(config, finished)


def test_the_page_is_well_formed_and_complete(page: str):
    assert page.startswith("<!DOCTYPE html>")
    check(page)


def test_the_page_holds_every_figure_and_loads_nothing(page: str, config: Config):
    checker = check(page)
    assert {f"figure-{name}" for name in figures(config)} <= set(checker.ids)
    assert len(checker.pictures) == len(figures(config))
    for picture in checker.pictures:
        assert re.match("data:image/(png|webp);base64,", picture["src"] or "")
        assert picture["alt"]
    assert external_loads(page) == []
    assert "<script src" not in page


def test_pictures_of_the_page_are_the_figures_in_nearly_the_same_colours(
    finished: Path, config: Config
):
    shown = ShownFigure(figures(config)["mnist"], Results(config, finished))
    head, _, data = shown.uri.partition(",")
    assert head == "data:image/png;base64"
    small = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), np.int16)
    original = np.asarray(Image.open(shown.png).convert("RGB"), np.int16)
    assert (np.abs(small - original).max(axis=2) > 16).mean() < 1e-2
    assert (small >= 254).all(axis=2).mean() > 0.5, "white paper stays white"
    assert len(data) < shown.png.stat().st_size


def test_curves_come_with_their_numbers_in_the_page(page: str, finished: Path):
    figure = page.partition('id="figure-mnist"')[2].partition("</figure>")[0]
    text = figure.partition('class="lines">')[2].partition("</script>")[0]
    kept = (finished / "figures/default/mnist.json").read_text()
    assert json.loads(text) == json.loads(kept)
    names = {
        line["name"] for panel in json.loads(text) for g in panel["groups"] for line in g["lines"]
    }
    assert {"LSTM (paper)", "ADAM"} <= names
    assert ">numbers</a>" in figure
    without = page.partition('id="figure-verdicts"')[2].partition("</figure>")[0]
    assert ">PDF</a>" in without
    assert ">numbers</a>" not in without


def test_every_claim_has_a_row_that_its_link_leads_to(page: str, config: Config):
    for key in config.claims:
        section = page.partition(f'id="{key}"')
        assert section[2].startswith(f' href="#{key}">{key}</a></th>')


def test_all_links_lead_to_files_or_places_of_the_page(page: str, finished: Path):
    checker = check(page)
    folder = finished / "results" / "default"
    for link in checker.links:
        if link.startswith("#"):
            assert link[1:] in checker.ids
        else:
            assert (folder / link).is_file(), link


def test_the_page_shows_verdicts_rates_runs_and_provenance(page: str):
    text = " ".join(" ".join(check(page).text).split())
    for expected in (
        "On quadratics the LSTM beats every tuned baseline.",
        "✔ replicated",
        "✘ not replicated",
        "– not yet run",
        "LSTM (long unroll)",
        "0.0316",
        "stuck at loss 2.3",
        "0123456789ab",
        "meta-train",
        "a local folder",
    ):
        assert expected in text, expected
    assert "numbers and pictures below mean nothing" not in text


def test_the_claims_come_first_and_lead_to_their_sections(page: str, config: Config):
    checker = check(page)
    first = page.partition("<h2>")[2].partition("<h2>")[0]
    for key in config.claims:
        assert f'href="#{key}"' in first
        assert key in checker.ids
    for name in config.studies:
        assert f"#section-{name}" in checker.links


def test_neural_art_has_its_pictures_curves_and_what_adam_needs(page: str):
    section = page.partition('id="section-neural_art"')[2].partition("<section")[0]
    assert 'id="figure-style_curves"' in section
    assert 'id="figure-style_images"' in section
    assert "first step at which ADAM is as low" in section
    mnist = page.partition('id="section-mnist"')[2].partition("<section")[0]
    assert "first step at which ADAM is as low" not in mnist


def test_words_of_a_study_are_markdown_and_their_html_is_escaped():
    assert markdown("**bold** <script>").strip() == "<p><strong>bold</strong> &lt;script&gt;</p>"


def test_stand_ins_of_neural_art_stand_at_the_top_and_below_its_figures(copy: Path, config: Config):
    set_stand_ins(copy, FREE)
    page = build_page(config, copy)
    for dataset, text in FREE.items():
        told = f"STAND-IN for the {dataset}: {text}"
        assert page.partition("<h2>")[0].count(told) == 1
        for name in ("style_curves", "style_images"):
            figure = page.partition(f'id="figure-{name}"')[2].partition("</figure>")[0]
            assert told in figure


def test_a_figure_that_only_the_configuration_knows_is_on_the_page(copy: Path, config: Config):
    renamed = config.experiments["mnist_relu"].model_copy(update={"figure": "another_one"})
    changed = config.model_copy(
        update={"experiments": config.experiments | {"mnist_relu": renamed}}
    )
    with contextlib.chdir(copy):
        layout = Layout("default")
        for name in ("mnist_transfer", "another_one"):
            layout.figure(name).with_suffix(".png").unlink(missing_ok=True)
            layout.figure(name).with_suffix(".pdf").unlink(missing_ok=True)
            save(figures(changed)[name].draw(Results(changed)), layout.figure(name))
    checker = check(build_page(changed, copy))
    assert "figure-another_one" in checker.ids
    assert any("ReLU" in part for part in checker.text)


def test_smoke_has_a_banner_and_no_verdict(copy: Path, config: Config):
    for folder in ("results", "figures"):
        (copy / folder / "default").rename(copy / folder / "smoke")
    smoke = config.model_copy(update={"protocol": "smoke"})
    (copy / "results/smoke/claims.csv").unlink()  # it is linked to that of the finished run
    judged = Results(smoke, copy).judged(smoke.claims)
    write_table(copy / "results/smoke/claims.csv", judged)
    text = " ".join(" ".join(check(build_page(smoke, copy)).text).split())
    assert "numbers and pictures below mean nothing" in text
    assert "– not judged (smoke)" in text


def test_a_run_of_released_optimizers_says_whose_they_are(copy: Path, config: Config, page: str):
    for folder in ("results", "figures"):
        (copy / folder / "default").rename(copy / folder / "default_released")
    released = config.model_copy(update={"optimizers": "released"})
    text = " ".join(" ".join(check(build_page(released, copy)).text).split())
    assert "Nothing was meta-trained or tuned for this page" in text
    assert "released ones, meta-trained at commit 0123456789ab" in text
    assert "snakemake --cores all mnist --config optimizers=released" in text
    assert "Nothing was meta-trained" not in page


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("results/default/claims.csv", "l2l claims"),
        ("results/default/training/runs.csv", "l2l runs"),
        ("results/default/tuning/mnist.csv", "l2l test mnist"),
        ("results/default/evaluation/quadratics/curves.parquet", "l2l test quadratics"),
        ("results/default/data/mnist.json", "l2l data mnist"),
        ("results/default/reports/mnist.html", "l2l report mnist"),
        ("figures/default/figure4.png", "l2l figure figure4"),
        ("figures/default/optimizer_loop.pdf", "l2l figure optimizer_loop"),
        ("figures/default/mnist.json", "l2l figure mnist"),
        ("figures/default/style_images.png", "l2l figure style_images"),
        ("results/default/data/styles.json", "l2l data styles"),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_makes_it(
    config: Config, copy: Path, missing: str, command: str
):
    (copy / missing).unlink()
    with pytest.raises(UserError) as caught:
        build_page(config, copy)
    message = str(caught.value)
    assert missing in message
    assert f"run {command}, or snakemake" in message
    assert "\n" not in message
