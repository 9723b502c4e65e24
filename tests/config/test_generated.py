"""Bad configurations, made from the default one: each is one line that names the key."""

from __future__ import annotations

import copy
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l2l.config import load, load_config
from l2l.errors import UserError

ROOT = Path(__file__).parents[2]
MISSING = object()
"""In the place of a value: the key is taken away."""
WRONG = ("no number", [[]], {"a": 1}, None, True, float("nan"), -1, 10**30, -1e300, MISSING)


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values that are no mappings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _leaves(item, (*path, index))


def _spoilt(tree: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The tree with one mistake."""
    spoilt = inner = copy.deepcopy(tree)
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return spoilt


def test_a_bad_configuration_is_one_line_that_names_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some values are good where they stand, such as text for a title; most are refused."""
    default = load_config().model_dump(mode="json")
    fields: dict[tuple[str | int, ...], list[tuple[str | int, ...]]] = {}
    for path in _leaves(default):
        fields.setdefault((path[0], len(path), path[-1]), []).append(path)
    monkeypatch.setattr(load, "_default", dict)
    draw, refused = random.Random(0), 0
    for _ in range(300):
        path, value = draw.choice(fields[draw.choice([*fields])]), draw.choice(WRONG)
        try:
            load_config(overrides=_spoilt(default, path, value))
        except UserError as error:
            refused += 1
            message = str(error)
            assert message.startswith("config: "), message
            assert len(message.splitlines()) == 1, message
            assert len(message) < 2000
            *section, own = (str(key) for key in path if not isinstance(key, int))
            if value is MISSING and not message.endswith(" is missing"):
                continue  # an entry of a mapping, which something else names
            said = re.sub(r"\.\d+", "", message)  # without the places in lists
            assert ".".join(section) in said, (path, value, message)
            assert own in said, (path, value, message)
    assert refused > 150


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
