"""Times of steps: what is timed, where, how often, and what is counted."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import pytest
import torch
from tests.small import CPU, lstm_settings, mlp_family, quadratic_family, random_phi
from torch import Tensor

from l2l import kernels
from l2l.kernels import implementation
from l2l.measurements import overhead as module
from l2l.measurements.overhead import Timed, both_implementations, count_bytes, overhead
from l2l.optimizers import CoordinatewiseLSTM, make_baseline


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1e-4)


@dataclass(frozen=True)
class Sleeper:
    """An optimizer whose step takes so many seconds."""

    seconds: float

    def init(self, theta: Tensor) -> Tensor:
        return torch.zeros(3, *theta.shape)

    def update(self, gradient: Tensor, state: Tensor, reuse: bool = False) -> tuple:
        time.sleep(self.seconds)
        return -gradient, state


def learned() -> CoordinatewiseLSTM:
    settings = lstm_settings()
    return CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))


def test_the_seconds_are_those_of_a_step() -> None:
    subjects = [Timed(f"s{n}", "default", Sleeper(0.002 * n)) for n in (1, 3)]
    table = overhead(subjects, {"mnist": mlp_family()}, [20], 3, 0, CPU)
    fastest = table[table["timed"] != "gradient"].groupby("timed")["seconds"].min()
    assert 0.002 <= fastest["s1"] < 0.006 <= fastest["s3"]
    assert set(table.loc[table["timed"] == "s1", "state_bytes"]) == {12.0}


def test_there_is_a_row_for_each_size_problem_and_repeat() -> None:
    families = {"mnist": mlp_family(), "quadratic": quadratic_family()}
    subjects = [Timed(name, "default", make_baseline(name, 0.1)) for name in ("sgd", "adam")]
    table = overhead(subjects, families, [7, 400], 3, 0, CPU)
    sizes = {"grid": {7, 400}, "mnist": {4 * 9 + 4 + 10 * 4 + 10}, "quadratic": {3}}
    assert {key: set(rows["coordinates"]) for key, rows in table.groupby("problem")} == sizes
    counts = table.groupby(["timed", "problem", "coordinates"])["repeat"].agg(["nunique", "size"])
    assert (counts == 3).all(axis=None)
    known = table[table["seconds_with_gradient"].notna()]
    assert set(known["problem"]) == {"mnist", "quadratic"}
    assert set(known["timed"]) == {"sgd", "adam"}
    for row in known.itertuples():
        same = (table["problem"] == row.problem) & (table["repeat"] == row.repeat)
        (gradient,) = table.loc[same & (table["timed"] == "gradient"), "seconds"]
        assert row.seconds_with_gradient == row.seconds + gradient
    gradients = table[table["timed"] == "gradient"]
    assert set(gradients["problem"]) == {"mnist", "quadratic"}, "the grid has none"
    assert (table["seconds"] > 0).all()


def test_the_lstm_is_timed_without_compiled_kernels_too_and_nothing_is_left_behind() -> None:
    lstm = learned()
    compiled = implementation(lstm.phi["head.bias"]) is not kernels.reference
    before = os.environ.get("L2L_KERNEL")
    used = []

    class Spy(CoordinatewiseLSTM):
        def update(self, gradient: Tensor, state: object, reuse: bool = False) -> tuple:
            used.append(os.environ.get("L2L_KERNEL"))
            return super().update(gradient, state, reuse)

    subjects = both_implementations("ours", Spy(lstm.settings, lstm.phi))
    assert [one.implementation for one in subjects] == ["default", "reference"]
    assert [one.compiled for one in subjects] == [compiled, False]
    overhead(subjects, {"mnist": mlp_family()}, [50], 2, 0, CPU)
    assert set(used) == {before, "reference"}
    assert os.environ.get("L2L_KERNEL") == before
    assert len(both_implementations("adam", make_baseline("adam", 0.1))) == 1


def test_what_would_take_too_long_or_too_much_memory_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subjects = [Timed("slow", "default", Sleeper(0.05)), Timed("quick", "default", Sleeper(0))]
    monkeypatch.setattr(module, "SLOWEST", 3.0)
    table = overhead(subjects, {"mnist": mlp_family()}, [100, 10_000], 2, 0, CPU)
    large = table[table["coordinates"] == 10_000]
    assert set(large["timed"]) == {"quick"}
    assert "10,000 coordinates: slow default is left out" in capsys.readouterr().err
    monkeypatch.setattr(module, "free_memory", lambda device: 100_000)
    table = overhead(subjects[1:], {"mnist": mlp_family()}, [100, 10_000], 2, 0, CPU)
    assert set(table["coordinates"]) == {100, 90}


def test_a_theta_of_another_size_has_every_parameter_of_the_first_problem() -> None:
    layout = mlp_family().sample(("x",), [0], 1).places()
    for size in (4, 5, 90, 1000, 12_345):
        places = module._scaled(layout, size)
        assert list(places) == list(layout)
        assert all(len(place) for place in places.values())
        assert torch.equal(torch.cat([*places.values()]), torch.arange(size))
    shares = {name: len(place) / 12_345 for name, place in places.items()}
    assert shares == pytest.approx({name: len(p) / 90 for name, p in layout.items()}, abs=1e-3)
    assert list(module._scaled(layout, 2)) == list(layout)[:2]


def test_the_memory_of_a_state_is_that_of_its_tensors() -> None:
    theta = torch.zeros(1, 10)
    assert count_bytes(make_baseline("sgd", 0.1).init(theta)) == 0
    assert count_bytes(make_baseline("adam", 0.1).init(theta)) == 2 * 10 * 4
    assert count_bytes((theta, [theta, {"a": theta.double()}], 3)) == 40 + 40 + 80
