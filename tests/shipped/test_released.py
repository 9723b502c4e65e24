"""Every optimizer that ships has a card that is true."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import l2l
from l2l.evaluation.verdicts import read_claims
from l2l.optimizers.checkpoint import load
from l2l.report.table import Interval, effect
from l2l.shipped import FOLDER, Card, optimizer_path

RECORD = Path(__file__).parents[2] / "docs" / "replication"
CARDS = l2l.released()


def test_every_file_has_a_card_and_every_card_a_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.safetensors")} == set(CARDS)
    assert {"general", "quadratics", "mnist", "cifar", "neural_art", "hierarchical"} == set(CARDS)


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_its_numbers_are_those_of_the_committed_claims(card: Card) -> None:
    rows = read_claims(RECORD / "claims.csv")
    rows = rows[(rows["recipe"] == card.recipe) & (rows["answer"] == "optimizer")]
    rows = rows[rows["low"].notna()]
    assert bool(card.measured) == bool(len(rows))
    assert {*rows["meta_seed"]} <= {card.meta_seed}
    for told in card.measured:
        selected = {key: told[key] for key in ("experiment", "baseline", "metric", "loss")}
        row = rows[(rows[[*selected]] == pd.Series(selected)).all(axis=1)].iloc[0]
        rounded, exact = (
            effect(Interval(*(numbers[key] for key in ("estimate", "low", "high"))))
            for numbers in (told, row)
        )
        assert rounded == exact, selected


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_it_can_be_loaded_and_says_where_it_is_from(card: Card) -> None:
    checkpoint = load(optimizer_path(card.name))
    assert all(weight.isfinite().all() for weight in checkpoint.optimizer.phi.values())
    assert checkpoint.provenance["protocol"] == "default"
    assert len(card.commit) == 12
    assert str(card).startswith(f"{card.name}: meta-trained on ")
    assert f"commit {card.commit}" in str(card)
