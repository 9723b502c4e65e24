"""A clock that jumped: everything that is there seems to come from tomorrow."""

import os
import shutil
import time
from pathlib import Path

import pytest
from tests.workflow.harness import SMOKE, Workflow

pytestmark = pytest.mark.workflow
DAY = 86400


def test_a_run_after_the_clock_went_back_a_day_ends_with_the_same_bits(
    smoke: Workflow, tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "copy", smoke.data)
    shutil.copytree(smoke.folder, copy.folder)
    for folder in ("results", "figures", "workflow", "config"):
        for path in (copy.folder / folder).rglob("*"):
            then = path.stat().st_mtime + DAY
            os.utime(path, (then, then))
    assert copy.planned(*SMOKE) == set()
    figure = copy.folder / "figures/smoke/quadratics.png"
    before = figure.read_bytes()
    figure.unlink()
    done = copy.run(*SMOKE, "--", "quadratics")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "come from the future" in done.stderr
    assert figure.read_bytes() == before
    assert figure.stat().st_mtime <= time.time()
    assert copy.planned(*SMOKE, "--", "quadratics") == set()
