"""The committed record against the tables it is made from."""

from pathlib import Path

import pytest

from l2l.config import Config
from l2l.errors import UserError
from l2l.evaluation.evaluate import read_pictures, write_pictures
from l2l.figures.base import figures
from l2l.figures.style_images import FREE
from l2l.report import free_pictures
from l2l.report.notebook import reports
from l2l.report.record import record
from l2l.report.table import number
from l2l.results import Results

from .conftest import set_stand_ins


def painted(results: Results, folder: Path) -> Path:
    """In the place of what takes minutes."""
    (folder / "new.png").write_bytes(b"painted")
    return folder / "new.png"


def test_the_record_has_every_figure_and_table_and_the_means(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "new" / "record"
    monkeypatch.setattr(free_pictures, "paint", painted)
    record(results, folder)
    published = [name for name in figures(results.config) if name != "style_images"]
    names = {path.name for path in folder.iterdir()}
    assert names >= {"runs.csv", "claims.csv", "provenance.json", "tuning_mnist.csv", "tables.md"}
    assert len(published) > 10
    assert "overhead.csv" in names
    assert not names & {"updates.csv", "meta_gradients.csv"}, "large, or not of this run"
    for name in published:
        path = results.root / f"{results.layout.figure(name)}.png"
        assert (folder / path.name).read_bytes() == path.read_bytes()
    assert not [name for name in names if name.endswith((".parquet", ".safetensors", ".pdf"))]
    text = (folder / "tables.md").read_text()
    for experiment in results.config.experiments.values():
        assert f"\n{experiment.title}: mean loss" in text
    curves = results.curves("mnist")
    ends = curves[(curves["optimizer"] == "nag") & (curves["step"] == 100)]
    section = text.partition("## MNIST\n")[2].partition("\n## ")[0]
    line = next(line for line in section.splitlines() if line.startswith("| NAG | none"))
    assert f"| {number(ends['train_loss'].mean())} [" in line
    assert "| C1 |" in text


@pytest.mark.parametrize("free", [True, False])
def test_free_pictures_are_painted_where_those_of_the_run_are_not_free(
    config: Config,
    copy: Path,
    tmp_path_factory,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    free: bool,
):
    monkeypatch.setattr(free_pictures, "paint", painted)
    set_stand_ins(copy, FREE)
    results, folder = Results(config, copy), tmp_path_factory.mktemp("record")
    if not free:
        path = copy / results.layout.pictures("neural_art", "adam", None)
        write_pictures(path, read_pictures(path), publishable=False)
    (folder / "style_images.png").write_bytes(b"of an earlier run")
    record(results, folder)
    text, said = (folder / "tables.md").read_text(), capsys.readouterr().err
    if free:
        figure = copy / "figures/default/style_images.png"
        assert (folder / "style_images.png").read_bytes() == figure.read_bytes()
        assert said == ""
    else:
        assert (folder / "style_images.png").read_bytes() == b"painted"
        assert said == "l2l: style_images.png may not be published: painting free pictures\n"
        assert "painted for the record" in text
    assert "CC BY 2.0" in text
    assert all(stand_in in text for stand_in in FREE.values())
    assert (folder / "style_curves.png").exists()
    executed = {path.stem for path in (folder / "reports").iterdir()}
    assert executed == set(reports(config)) - ({"style_curves"} if not free else set())
    page = (folder / "reports" / "mnist.html").read_text()
    assert "<title>Report mnist</title>" in page
    assert ".ipynb" not in page, "the notebook is not in the record"
    embedded = [path.name for path in folder.iterdir() if path.suffix not in (".csv", ".json")]
    shown = {f"{name}.png" for name in figures(config)}
    told = "no page, which embeds the pictures"
    assert set(embedded) - shown == {"tables.md", "trained", "reports"}, told
    assert "data:image" not in text


def test_a_record_of_an_unfinished_run_says_what_is_missing(results: Results, tmp_path: Path):
    with pytest.raises(UserError, match=r"claims\.csv is missing"):
        record(Results(results.config, tmp_path), tmp_path / "record")
    assert not (tmp_path / "record").exists()
