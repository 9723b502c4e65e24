"""l2l.files: whole or not at all."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from l2l.files import mend_times, write_atomically, write_json, write_table, write_text

DAY = 86400
WRITER = """
import sys
from pathlib import Path
from l2l.files import write_text
path = Path(sys.argv[1])
print("ready", flush=True)
for round in range(1_000_000):
    write_text(path, str(round % 10) * 3_000_000)
"""


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "a.txt"
    write_text(path, "one\n")
    write_text(path, "two\n")
    assert path.read_text() == "two\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_a_failing_writer_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half of the n")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_absent_or_old_until_the_writer_is_done(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    seen = []

    def slow(temporary: Path) -> None:
        temporary.write_text("half")
        seen.append(path.exists())
        temporary.write_text("whole")

    write_atomically(path, slow)
    assert seen == [False]
    assert path.read_text() == "whole"


def test_the_temporary_file_keeps_the_suffix_so_that_writers_know_the_format(
    tmp_path: Path,
) -> None:
    suffixes = []

    def note(temporary: Path) -> None:
        suffixes.append(temporary.suffix)
        temporary.write_text("")

    write_atomically(tmp_path / "a.parquet", note)
    assert suffixes == [".parquet"]


def test_json_keeps_all_bits_of_floats(tmp_path: Path) -> None:
    numbers = [random.Random(1).uniform(-1, 1) * 10.0**k for k in range(-300, 300, 7)]
    write_json(tmp_path / "a.json", {"numbers": [*numbers, math.inf]})
    assert json.loads((tmp_path / "a.json").read_text())["numbers"] == [*numbers, math.inf]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_read_back_with_all_bits(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"name": ["a", "b"], "x": [1 / 3, 1e-300], "n": [1, 2]})
    path = tmp_path / f"t.{suffix}"
    write_table(path, table)
    read = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
    pd.testing.assert_frame_equal(read, table, check_exact=True)


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not path.exists():
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.2))
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    text = path.read_text()
    assert len(text) == 3_000_000
    assert len(set(text)) == 1


def test_files_come_back_in_their_order_and_others_stay(tmp_path: Path) -> None:
    begin = time.time()
    times = {
        "old": -2 * DAY,
        "new": -5,
        "a": DAY,
        "c": DAY + 2,
        "b": DAY + 1,
        "b2": DAY + 1,
        "far": 400 * DAY,
    }
    for name, shift in times.items():
        path = tmp_path / ("deep" if shift > 0 else "") / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (begin + shift, begin + shift))
    assert mend_times([tmp_path, tmp_path / "missing"]) == 5
    found = {path.name: path.stat().st_mtime for path in tmp_path.rglob("*") if path.is_file()}
    assert found.pop("b2") == found["b"], "as old as each other, still"
    assert sorted(found, key=lambda name: found[name]) == ["old", "new", "a", "b", "c", "far"]
    assert found["old"] == begin - 2 * DAY
    assert found["new"] == begin - 5
    assert found["far"] <= time.time()
    assert mend_times([tmp_path]) == 0
