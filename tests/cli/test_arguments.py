"""Every command's arguments and options, wrong in every way: one line, exit code 2, no traceback.

The commands are walked, so a new one is tried too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer.main

from l2l.cli import main
from l2l.cli.app import app

NO_NUMBERS = ("many", "", "1.5", "nan", "0x10", "9" * 5000, "--", "-1", "9" * 23)
NO_NAMES = ("nobody", "", "../x", "a\nb", "Mnist")
NO_PLACES = ("nowhere/x.png", "folder", "")
BAD: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("number", "seed", "size", "steps", "threads"), NO_NUMBERS),
    **dict.fromkeys(("dataset", "recipe", "experiment", "name", "baseline", "study"), NO_NAMES),
    **dict.fromkeys(("recipes", "experiments"), NO_NAMES),
    **dict.fromkeys(("optimizer", "content", "style"), (*NO_NAMES, "folder")),
    **dict.fromkeys(("out", "gif", "strip"), ("x.nonsense", "x", *NO_PLACES)),
    "json": ("nowhere/x.json", "folder"),
    "config_file": ("no\nfile.yaml", "missing.yaml", "folder"),
    "protocol": ("tiny", "", "SMOKE", "smoke default"),
    "setting": ("seed", "=", "seed=[", "no.such=1", "seed=0b_", "seed=-1", "recipes=2020-13-45"),
    "folder": (),  # of `record`: any may be made
    "page": ("missing.md", "folder"),
    "quick": (),
    "explained": (),
}
"""Option or argument -> texts that it does not take, in any command."""
NEEDED = {
    "data": ("mnist",),
    "trial": ("mnist_paper", "0"),
    "choose-rate": ("mnist_paper",),
    "train": ("mnist_paper",),
    "tune": ("mnist", "nag"),
    "evaluate": ("mnist", "nag"),
    "collect": ("mnist",),
    "test": ("mnist",),
    "measure": ("updates",),
    "figure": ("mnist",),
    "report": ("mnist",),
    "record": ("elsewhere",),
    "crate": ("elsewhere",),
    "card": ("general",),
    "bench": ("mnist_paper",),
    "paint": ("--content", "a.png", "--style", "b.png"),
}
"""Command -> good arguments, of which one at a time is made bad."""


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def _bad_calls(path: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    """Argument lists that differ from a good one in one place."""
    good = NEEDED.get(path[-1], ())
    yield (*path, *good, "--no-such-option")
    yield (*path, *good, "one", "more", "too many")
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    if any(p.required for p in command.params):
        yield path
    for number, argument in enumerate(arguments):
        for text in BAD[argument.name]:
            yield (*path, *good[:number], text, *good[number + 1 :])
    for option in command.params:
        if option.param_type_name != "option" or option.name == "help":
            continue
        if not option.is_flag:
            yield (*path, *good, option.opts[0])  # without its value
        for text in BAD[option.name]:
            yield (*path, *good, option.opts[0], text)


CALLS = [call for path, command in COMMANDS.items() for call in _bad_calls(path, command)]


def refused(
    call: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What a command says that refuses its arguments."""
    monkeypatch.setattr(sys, "argv", ["l2l", *call])
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main()
    stdout, stderr = capsys.readouterr()
    assert caught.value.code == 2, (call, stderr)
    assert stdout == "", call
    assert len(stderr.splitlines()) == 1, (call, stderr)
    assert stderr.startswith("l2l"), call
    assert len(stderr) < 4000, call
    return stderr


def test_the_walk_finds_the_commands_and_their_options() -> None:
    assert ("paint",) in COMMANDS
    assert ("measure",) in COMMANDS
    assert ("train", "mnist_paper", "--seed", "-1") in CALLS
    assert ("trial", "nobody", "0") in CALLS
    assert ("trial", "mnist_paper", "1.5") in CALLS
    assert len(CALLS) > 200


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_wrong_arguments_are_one_line(
    path: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mnist_directory: Path,
) -> None:
    monkeypatch.setenv("L2L_DATA_DIR", str(mnist_directory.resolve()))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for call in _bad_calls(path, COMMANDS[path]):
        said = refused(call, monkeypatch, capsys)
        if "--no-such-option" in call:
            assert "--no-such-option" in said
            assert f"l2l {' '.join(path)} --help" in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("trial mnist_paper", ["l2l trial: Missing argument 'number'"]),
        ("trial mnist_paper -1", ["--help"]),
        ("trial mnist_paper -- -1", ["trial -1: the configuration has 0.."]),
        ("trial mnist_paper 99", ["trial 99", "0.."]),
        ("train mnist_paper --seed -1", ["seed -1: the configuration has 0..2"]),
        ("train mnist_paper --seed 9", ["seed 9", "0..2"]),
        ("train mnist_paper --seed x", ["'--seed'"]),
        ("train mnist_papper", ["no recipe 'mnist_papper' (did you mean 'mnist_paper'?)"]),
        (
            "train mnist_paper --seed 0",
            ["meta_learning_rate.json is missing", "choose-rate mnist_paper"],
        ),
        ("evaluate mnist nag", ["nag.csv is missing", "l2l tune mnist nag"]),
        ("evaluate mnist nag --seed 0", ["nag is hand-crafted"]),
        ("train mnist_paper mnist_base --seed 0", ["name one recipe, not 2"]),
        ("evaluate mnist mnist_paper", ["optimizer.safetensors is missing", "l2l train"]),
        ("evaluate mnist nobody", ["no optimizer 'nobody'; there are: "]),
        ("tune mnist nobody", ["no baseline 'nobody'; there are: "]),
        ("tune cifar nag", ["no experiment 'cifar'", "quadratics, mnist"]),
        ("figure mnist", ["curves.parquet is missing", "l2l test mnist"]),
        ("figure overhead", ["overhead.csv is missing", "l2l measure overhead"]),
        ("figure nonsense", ["no figure 'nonsense'", "optimizer_loop"]),
        ("report quadratics", ["workflow/notebooks is missing", "inside a checkout"]),
        ("measure updates", ["optimizer.safetensors is missing", "l2l train"]),
        ("measure nonsense", ["no measurement 'nonsense'; there are: overhead, "]),
        ("bench mnist_papper", ["did you mean 'mnist_paper'"]),
        ("bench hierarchical", ["hierarchical is not one LSTM", "quadratics_lstm, "]),
        ("bench --threads 0", ["--threads 0", "1.."]),
        ("bench --json folder", ["--json folder is a folder"]),
        ("bench --json nowhere/x.json", ["--json nowhere/x.json: there is no folder"]),
        ("record file", ["file is no folder"]),
        ("config --protocol tiny", ["'tiny'", "smoke, default, paper"]),
        ("config --config-file absent.yaml", ["absent.yaml", "No such file"]),
        ("config --set evaluation.problems=0", ["evaluation.problems = 0", "1"]),
        ("config --set experiments.mnist.learned=[mnist_paper]", ["claims.C2", "there are"]),
        ("paint --content a.png --style b.png --size 15", ["'--size'"]),
        ("paint --content a.png --style b.png --steps 0", ["'--steps'"]),
        ("paint --content a.png", ["Missing option '--style'"]),
        ("nonsense", ["No such command 'nonsense'"]),
        ("collct mnist", ["Did you mean 'collect'"]),
    ],
)
def test_what_is_said_names_the_argument(
    call: str,
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mnist_directory: Path,
) -> None:
    monkeypatch.setenv("L2L_DATA_DIR", str(mnist_directory.resolve()))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    message = refused(tuple(call.split()), monkeypatch, capsys)
    assert all(part in message for part in said), message


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize(
    ("stage", "call"),
    [
        ("train", "trial quadratics_lstm 0"),
        ("train", "bench"),
        ("tune", "tune quadratics nag"),
        ("evaluate", "evaluate quadratics nag"),
        ("measure", "measure meta-gradients"),
    ],
)
def test_cuda_that_is_missing_is_said_by_the_commands_of_the_stage(
    stage: str,
    call: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    setting = ("--set", f"compute.devices.{stage}=cuda")
    said = f"l2l: compute.devices.{stage} = cuda, but PyTorch sees no GPU; set it to auto or cpu"
    assert refused((*call.split(), *setting), monkeypatch, capsys).strip() == said


@pytest.mark.parametrize("command", [*COMMANDS, ()], ids=" ".join)
def test_every_command_has_help(
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["l2l", *command, "--help"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert f"Usage: {' '.join(['l2l', *command])}" in capsys.readouterr().out
