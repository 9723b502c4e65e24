"""What comes with scikit-learn, against scikit-learn itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits

from l2l.config import load_config
from l2l.data.scikit_learn import ALPHABET, CONTEXT, DIABETES, OPTDIGITS, TEXT
from l2l.problems import Setup, make_family


def test_the_digits_are_those_of_scikit_learn(tmp_path: Path) -> None:
    OPTDIGITS.fetch(tmp_path)
    images = OPTDIGITS.load(tmp_path)
    expected = load_digits()
    found = torch.cat([images.train_images, images.test_images])
    assert np.array_equal(found.numpy(), 15 * expected.images)
    labels = torch.cat([images.train_labels, images.test_labels])
    assert np.array_equal(labels.numpy(), expected.target)


def test_a_window_of_the_text_is_followed_by_its_label(tmp_path: Path) -> None:
    record = TEXT.fetch(tmp_path)
    assert record.stand_in is None
    data = TEXT.load(tmp_path)
    assert data.train_images.shape[1:] == (CONTEXT, len(ALPHABET))
    assert bool((data.train_images.long().sum(dim=2) == 255).all())  # one character each
    codes = data.train_images.argmax(dim=2)
    written = "".join(ALPHABET[code] for code in codes[:, 0])
    assert "dataset" in written
    assert torch.equal(codes[1:, -1], data.train_labels[:-1])
    assert torch.equal(codes[1:, :-1], codes[:-1, 1:])
    text = (tmp_path / "text" / "text.txt").read_text(encoding="utf-8").lower()
    assert (
        written[:40].split()
        == "".join("0" if c.isdigit() else c if c in ALPHABET else " " for c in text[:40]).split()
    )


def test_networks_on_the_table_see_standardised_rows_of_it(tmp_path: Path) -> None:
    DIABETES.fetch(tmp_path)
    config = load_config()
    setup = Setup(0, tmp_path, torch.device("cpu"), config.problems)
    problems = make_family("suite_table", setup).sample(("test", "suite_table"), range(2), 3)
    bunch = load_diabetes(scaled=False)
    rows = np.column_stack([bunch.data, bunch.target])
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    known = {tuple(np.round(row, 3)) for row in rows}
    seen = torch.cat([problems.inputs, problems.targets[..., None]], dim=2).flatten(0, 1)
    assert {tuple(np.round(row, 3)) for row in seen.double().numpy()} <= known
    last = problems.targets[0, -512:][: len(rows)]
    assert float(last.mean()) == pytest.approx(0, abs=1e-5)
    assert float(last.var(correction=0)) == pytest.approx(1, abs=1e-4)
    assert not torch.equal(problems.inputs[0, :32], problems.inputs[1, :32])
