"""examples/with_*.py learn, where their packages are installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("ddp", "fsdp2", "lightning", "accelerate", "transformers")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_with_a_framework_learns(name: str) -> None:
    if name not in ("ddp", "fsdp2"):
        pytest.importorskip(name)
    command = [sys.executable, str(EXAMPLES / f"with_{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"accuracy ([\d.]+)", done.stdout)
    assert found, done.stderr[-1000:]
    assert float(found[1]) > 0.95


def test_every_example_with_a_framework_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("with_*.py")} == {f"with_{name}" for name in NAMES}
