"""Named streams: the same name gives the same numbers, another name others."""

from __future__ import annotations

import hashlib
import itertools

import torch

from l2l.rng import stream


def _numbers(generator: torch.Generator, count: int = 1000) -> torch.Tensor:
    return torch.randn(count, generator=generator, dtype=torch.float64)


def test_the_same_name_gives_the_same_numbers_whatever_was_drawn_before() -> None:
    first = _numbers(stream(3, "test", "mnist", 7))
    _numbers(stream(3, "test", "mnist", 6))
    torch.manual_seed(99)
    assert torch.equal(first, _numbers(stream(3, "test", "mnist", 7)))


def test_streams_do_not_touch_the_global_generator() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    _numbers(stream(0, "a"))
    assert torch.equal(torch.rand(3), expected)


def test_different_names_and_seeds_give_uncorrelated_numbers() -> None:
    names = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", "1"), (0, "a", 10)]
    drawn = torch.stack([_numbers(stream(*name)) for name in names])  # type: ignore[arg-type]
    correlation = torch.corrcoef(drawn)
    for i, j in itertools.combinations(range(len(names)), 2):
        assert abs(correlation[i, j].item()) < 5 / 1000**0.5, (names[i], names[j])


def test_a_number_and_its_text_are_different_names() -> None:
    assert not torch.equal(_numbers(stream(0, "a", 1)), _numbers(stream(0, "a", "1")))


def test_where_names_are_cut_matters() -> None:
    assert not torch.equal(_numbers(stream(0, "ab", "c")), _numbers(stream(0, "a", "bc")))


def test_the_seed_is_the_documented_hash() -> None:
    digest = hashlib.sha256(b"5/str:train/int:12").digest()
    by_hand = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") // 2)
    assert torch.equal(_numbers(stream(5, "train", 12)), _numbers(by_hand))


def test_a_stream_is_standard_normal_across_names() -> None:
    firsts = torch.cat([_numbers(stream(0, "problem", i), 1) for i in range(2000)])
    assert abs(firsts.mean().item()) < 4 / 2000**0.5
    assert abs(firsts.std().item() - 1) < 4 / 4000**0.5
