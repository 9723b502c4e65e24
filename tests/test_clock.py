"""Files from the future."""

from __future__ import annotations

import os
import time
from pathlib import Path

from l2l.clock import bring_back

DAY = 86400


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
    assert bring_back([tmp_path, tmp_path / "missing"]) == 5
    found = {path.name: path.stat().st_mtime for path in tmp_path.rglob("*") if path.is_file()}
    assert found.pop("b2") == found["b"], "as old as each other, still"
    assert sorted(found, key=lambda name: found[name]) == ["old", "new", "a", "b", "c", "far"]
    assert found["old"] == begin - 2 * DAY
    assert found["new"] == begin - 5
    assert found["far"] <= time.time()
    assert bring_back([tmp_path]) == 0
