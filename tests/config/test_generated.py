"""Two hundred bad configurations, made from the schema: each is one line that names the key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from tests.config.bad_configs import Bad, bad_configs

from l2l.config import load, load_config
from l2l.errors import UserError

ROOT = Path(__file__).parents[2]


def _assert_names(bad: Bad, message: str) -> None:
    assert message.startswith("config: ")
    assert len(message.splitlines()) == 1, message
    assert len(message) < 2000
    own = ".".join(map(str, bad.path[-2:] if isinstance(bad.path[-1], int) else bad.path[-1:]))
    section, entry = bad.key.removesuffix(f".{own}"), bad.key.rpartition(".")[0]
    # `key.` is an entry of it: of [[]] the one that is no text.
    named = [f"{bad.key} ", f"{bad.key}.", f"{bad.key}:", f"{section}: {own} "]
    named += [f"{section}: unknown key '{own}'"]
    if bad.why == "unknown name":  # the message has the key of the whole list
        named += [f"{entry} = "]
    assert any(f" {name}" in message for name in named), (bad, message)


@settings(
    max_examples=200,
    derandomize=True,
    phases=[Phase.generate],  # each has one mistake alone: nothing to shrink
    database=None,
    deadline=None,
)
@given(bad=bad_configs())
def test_a_bad_configuration_is_one_line_that_names_the_key(bad: Bad) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(load, "_default", dict)
        with pytest.raises(UserError) as caught:
            load_config(overrides=bad.tree())
    _assert_names(bad, str(caught.value))


@pytest.mark.parametrize(
    ("command", "overlay", "named"),
    [
        (("-m", "l2l", "config"), {"seed": -1}, "config: seed = -1: "),
        (("-m", "l2l", "train", "mnist_paper"), {"nobody": 1}, "config: unknown key 'nobody'"),
        (
            ("-m", "snakemake", "-n"),
            {"recipes": {"mnist_paper": {"optimizer": {"kind": "lion"}}}},
            "config: recipes.mnist_paper.optimizer.kind = 'lion': ",
        ),
    ],
    ids=["config", "train", "snakemake"],
)
def test_commands_and_the_workflow_say_it_in_one_line(
    command: tuple[str, ...], overlay: dict[str, Any], named: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(overlay), encoding="utf-8")
    option = "--configfile" if "snakemake" in command else "--config-file"
    done = subprocess.run(
        [sys.executable, *command, option, str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    if "snakemake" in command:  # it says itself which profile it takes
        lines = [line for line in lines if not line.startswith(("Using ", "Config file"))]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"l2l: {named}")
