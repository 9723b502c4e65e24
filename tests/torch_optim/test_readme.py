"""What README says of one's own code, as it stands there."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_learned_optimizer_of_the_readme_is_ahead_of_adam(
    capsys: pytest.CaptureFixture[str],
) -> None:
    section = README.read_text(encoding="utf-8").split("### In your own code")[1]
    program = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert program
    exec(program[1], {})
    losses = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert float(losses["mnist"]) < 0.5 * float(losses["adam"])
