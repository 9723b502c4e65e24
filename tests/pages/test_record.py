"""The committed record against the tables it is made from."""

from pathlib import Path

import pytest

from l2l.errors import UserError
from l2l.figures.draw import figures
from l2l.pages.html import wrapped
from l2l.pages.record import markdown, record
from l2l.pages.results import Results
from l2l.pages.words import number


def test_the_record_has_every_figure_and_table_and_the_means(results: Results, tmp_path: Path):
    folder = tmp_path / "new" / "record"
    record(results, folder)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"runs.csv", "claims.csv", "provenance.json", "tuning_mnist.csv", "tables.md"}
    for name in figures(results.config):
        path = results.root / f"{results.layout.figure(name)}.png"
        assert (folder / path.name).read_bytes() == path.read_bytes()
    assert not [name for name in names if name.endswith((".parquet", ".safetensors", ".pdf"))]
    text = (folder / "tables.md").read_text()
    for experiment in results.config.experiments.values():
        assert f"## {experiment.title}" in text
    curves = results.curves("mnist")
    ends = curves[(curves["optimizer"] == "nag") & (curves["step"] == 100)]
    section = text.partition("## MNIST\n")[2].partition("\n## ")[0]
    line = next(line for line in section.splitlines() if line.startswith("| NAG | none"))
    assert f"| {number(ends['train_loss'].mean())} [" in line
    assert "| C1 |" in text


def test_a_record_of_an_unfinished_run_says_what_is_missing(results: Results, tmp_path: Path):
    with pytest.raises(UserError, match=r"curves\.parquet is missing"):
        record(Results(results.config, tmp_path), tmp_path / "record")
    assert not (tmp_path / "record").exists()


def test_cells_are_told_without_their_html():
    rows = [{"a": "1", "b": wrapped("two & three")}, {"a": "4", "b": "5"}]
    assert markdown(rows) == "| a | b |\n| --- | --- |\n| 1 | two & three |\n| 4 | 5 |"
