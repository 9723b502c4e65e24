"""Tests of Neural Art leave the first pictures behind; files of them come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.problems.art import family
from tests.small import experiment, quadratic_family

from l2l.errors import UserError
from l2l.evaluation.evaluate import (
    Outcome,
    evaluate,
    may_be_published,
    read_pictures,
    write_pictures,
)
from l2l.optimizers import make_baseline
from l2l.problems import Family

RATE = 5.0  # s is small at 16 pixels


def _outcome(some: Family, pictures: int) -> Outcome:
    evaluation = {"problems": 4, "batch": 4, "pictures": pictures}
    settings = experiment(steps=3, horizon=3, evaluation=evaluation)
    return evaluate("art", settings, {"art": some}, "sgd", {"art": make_baseline("sgd", RATE)})


def test_the_first_pictures_are_those_of_the_last_theta() -> None:
    outcome = _outcome(family(), pictures=2)
    found = outcome.pictures["art"]
    assert found.styled.shape == (2, 16, 16, 3)
    problems = family().sample(("test", "art"), range(4), 3)
    theta = problems.initial()
    for step in range(3):
        theta = theta - RATE * problems.loss_and_gradient(theta, step)[1]
    expected = problems.pictures(theta)
    assert (found.styled.int() - expected.styled[:2].int()).abs().max() <= 1
    assert torch.equal(found.content, expected.content[:2])
    assert not torch.equal(found.styled, found.content)


def test_no_pictures_are_kept_where_none_are_wanted_or_there_are_none() -> None:
    assert _outcome(family(), pictures=0).pictures == {}
    assert _outcome(quadratic_family(), pictures=2).pictures == {}


def test_pictures_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    pictures = _outcome(family(styles=("wave", "udnie")), pictures=3).pictures
    write_pictures(tmp_path / "a.safetensors", pictures, publishable=False)
    found = read_pictures(tmp_path / "a.safetensors")["art"]
    assert torch.equal(found.styled, pictures["art"].styled)
    assert torch.equal(found.content, pictures["art"].content)
    assert all(map(torch.equal, found.style, pictures["art"].style))
    assert len(found.style) == 3


def test_a_file_says_whether_its_pictures_may_be_published(tmp_path: Path) -> None:
    pictures = _outcome(family(), pictures=1).pictures
    for publishable in (True, False):
        write_pictures(tmp_path / "a.safetensors", pictures, publishable)
        assert may_be_published(tmp_path / "a.safetensors") == publishable


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(UserError, match=r"a\.safetensors is missing"):
        read_pictures(path)
    path.write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"a\.safetensors is damaged"):
        read_pictures(path)
