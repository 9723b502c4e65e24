"""How many steps ADAM needs, against numbers computed here."""

import numpy as np
import pandas as pd
import pytest

from l2l.config import Config
from l2l.report import catching_up
from l2l.report.words import number
from l2l.results import Results


@pytest.fixture
def curves(results: Results) -> pd.DataFrame:
    return results.curves("neural_art")


def means(curves: pd.DataFrame, optimizer: str) -> pd.Series:
    """Step -> mean loss."""
    return curves[curves["optimizer"] == optimizer].groupby("step")["loss"].mean()


def test_the_first_step_at_which_adam_is_as_low(curves: pd.DataFrame, config: Config):
    rows = catching_up.table(curves, "neural_art", config)
    names = ["LSTM", "LSTM (long unroll)", "LSTM (continued)"]
    assert [row["optimizer"] for row in rows] == names
    adam, found = means(curves, "adam"), set()
    for row, key in zip(rows, config.experiments["neural_art"].learned, strict=True):
        assert list(row) == ["optimizer", "step 16", "step 32", "step 64", "step 128"]
        for step in (16, 32, 64, 128):
            loss = means(curves, key)[step]
            reached = next((at for at, value in adam.items() if value <= loss), None)
            when = "none" if reached is None else reached
            assert row[f"step {step}"] == f"{number(loss)} → {when}"
            found.add(reached is None)
    assert found == {True, False}, "both happen here"


def test_adam_may_rise_again_after_its_first_step(curves: pd.DataFrame, config: Config):
    adam = curves["optimizer"] == "adam"
    curves.loc[adam, "loss"] = 9.0
    curves.loc[adam & (curves["step"] == 5), "loss"] = 0.01
    rows = catching_up.table(curves, "neural_art", config)
    assert all(row["step 64"].endswith(" → 5") for row in rows)


def test_an_equal_loss_is_reached(curves: pd.DataFrame, config: Config):
    same = curves["optimizer"].isin(["adam", "neural_art"])
    curves.loc[same, "loss"] = 1.0 / (1.0 + curves["step"])
    row = catching_up.table(curves, "neural_art", config)[-1]
    reached = [text.partition(" → ")[2] for text in row.values()]
    assert reached[1:] == ["16", "32", "64", "128"]


def test_steps_beyond_the_horizon_do_not_count(curves: pd.DataFrame, config: Config):
    entry = config.experiments["neural_art"].model_copy(update={"horizon": 64})
    short = config.model_copy(update={"experiments": config.experiments | {"neural_art": entry}})
    curves["loss"] = np.where(curves["optimizer"] == "adam", 1 - curves["step"] / 100, 0.3)
    rows = catching_up.table(curves, "neural_art", short)
    assert list(rows[0]) == ["optimizer", "step 8", "step 16", "step 32", "step 64"]
    assert rows[0]["step 8"] == "0.300 → none"
    assert "not within 64" in catching_up.heading("neural_art", short)


def test_a_diverged_optimizer_is_not_chased(curves: pd.DataFrame, config: Config):
    broken = (curves["optimizer"] == "neural_art") & (curves["step"] >= 64)
    curves.loc[broken & (curves["problem"] == 0), "loss"] = np.inf
    row = catching_up.table(curves, "neural_art", config)[-1]
    assert (row["step 64"], row["step 128"]) == ("diverged", "diverged")
    assert "→" in row["step 32"]


def test_without_adam_there_is_nothing_to_tell(curves: pd.DataFrame, config: Config):
    entry = config.experiments["neural_art"].model_copy(update={"baselines": ("nag",)})
    other = config.model_copy(update={"experiments": config.experiments | {"neural_art": entry}})
    assert catching_up.table(curves, "neural_art", other) == []
