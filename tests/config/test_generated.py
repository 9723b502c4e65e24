"""Two hundred bad configurations, made from the schema: each is one line that names the key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.config.bad_configs import MISSING, Bad, bad_configs, default, in_yaml

from l2l.cli import main

ROOT = Path(__file__).parents[2]
LINKS = ", ".join(["&x0 {k: 1}", *(f"&x{i} {{<<: *x{i - 1}}}" for i in range(1, 1500))])
CHAIN = f"seed: [[[{LINKS}]]]\nuse: {{<<: *x1499}}\n"


def _arguments(bad: Bad, folder: Path) -> list[str]:
    """A file of the user's; a default.yaml without the key, where one is missing."""
    (folder / "config").mkdir(exist_ok=True)
    whole = bad.tree() if bad.value is MISSING else default()
    (folder / "config" / "default.yaml").write_text(in_yaml(whole), encoding="utf-8")
    if bad.value is MISSING:
        return ["config"]
    (folder / "mine.yaml").write_text(in_yaml(bad.overlay()), encoding="utf-8")
    return ["config", "--config-file", "mine.yaml"]


def _assert_names(bad: Bad, code: int, stdout: str, stderr: str) -> None:
    assert code == 2, stderr
    assert stdout == ""
    assert stderr.startswith("l2l: config: ")
    assert len(stderr.splitlines()) == 1, stderr
    assert len(stderr) < 2000
    own = ".".join(map(str, bad.path[-2:] if isinstance(bad.path[-1], int) else bad.path[-1:]))
    section, entry = bad.key.removesuffix(f".{own}"), bad.key.rpartition(".")[0]
    # `key.` is an entry of it: of [[]] the one that is no text.
    named = (f"{bad.key} ", f"{bad.key}.", f"{section}: {own} ", f"{section}: unknown key '{own}'")
    if bad.why == "unknown name":  # one of a list is told with the list's key
        named += (f"{entry} = ",)
    assert any(f" {name}" in stderr for name in named), (bad, stderr)


@settings(
    max_examples=200,
    derandomize=True,
    phases=[Phase.generate],  # each has one mistake alone: nothing to shrink
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bad=bad_configs())
def test_a_bad_configuration_is_one_line_that_names_the_key(
    bad: Bad,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["l2l", *_arguments(bad, tmp_path)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main()
    _assert_names(bad, caught.value.code, *capsys.readouterr())


@pytest.mark.parametrize(
    ("command", "overlay", "named"),
    [
        (("-m", "l2l", "config"), {"seed": -1}, "config: seed = -1: "),
        (("-m", "l2l", "train", "mnist_paper"), {"nobody": 1}, "config: unknown key 'nobody'"),
        (
            ("-m", "l2l", "evaluate", "mnist", "nag"),
            {"experiments": {"mnist": {"baselines": ["lion"]}}},
            "config: experiments.mnist.baselines.0 = 'lion': ",
        ),
        (
            ("-m", "snakemake", "-n"),
            {"recipes": {"mnist_paper": {"optimizer": {"kind": "lion"}}}},
            "config: recipes.mnist_paper.optimizer.kind = 'lion': ",
        ),
    ],
    ids=["config", "train", "evaluate", "snakemake"],
)
def test_commands_and_the_workflow_say_it_in_one_line(
    command: tuple[str, ...], overlay: dict[str, Any], named: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(in_yaml(overlay), encoding="utf-8")
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seed: 1\nfigures: {}\nseed: 2\n", "'seed' stands twice, in lines 1 and 3"),
        ("tuning: {problems: 1, problems: 2}", "'problems' stands twice"),
        ("seed:\t1\n\tmeta_seeds: 2\n", "not valid YAML"),
        ("- seed\n- 1\n", "found list"),
        ("7", "found int"),
        (f"seed: {'9' * 5000}", "digits"),
        (f"seed: 0x{'f' * 5000}", "the number in line 1 has too many digits"),
        ("seed: 2020-13-45", "month must be in 1..12"),
        ("seed: 0b_", "not valid YAML"),
        ("[" * 20_000, "too many brackets"),
        (CHAIN, "too many references"),
        ("seed: &a [*a]", "config: seed = [[...]]: "),
        ("seed: !!python/object:os.system 1", "could not determine a constructor"),
        ("? [1]\n: 2", "unhashable key"),
        ('"no\\nkey": 1', "unknown key 'no key'"),
        ('experiments: {"Two\\nlines": 1}', "experiments.Two lines"),
    ],
)
def test_what_is_not_yaml_or_hardly_is_one_line(
    content: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["l2l", "config", "--config-file", str(path)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    stderr = capsys.readouterr().err
    assert said in stderr
    assert len(stderr.splitlines()) == 1, stderr
