"""A run under fire: the whole process tree is killed again and again, then the run may finish."""

from __future__ import annotations

import csv
import os
import random
import re
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import Popen

import psutil  # comes with Snakemake
from tests.workflow.harness import Workflow

LONGEST_WAIT_SECONDS = 12.0  # after the last job that a kill waits for, into those that follow
BEFORE_ANY_JOB = 0.2  # of the kills that wait for no job: Snakemake is still getting ready
STEPS = re.compile(r"^ *(\d+)/(\d+)  ", re.MULTILINE)


@dataclass(frozen=True)
class Kill:
    """One of them.

    Attributes:
        number: from 1.
        seconds: since the first start; and `since_start`, since the latest.
        done, planned: jobs of this start that had finished, and all that it wanted to do.
        running: the commands that were killed; empty: Snakemake itself at work.
    """

    number: int
    seconds: float
    since_start: float
    done: int
    planned: int
    running: str


def run_under_fire(
    workflow: Workflow, arguments: tuple[str, ...], kills: int, seed: int, jobs: int, logs: Path
) -> list[Kill]:
    """Run, kill, run again; after the last kill the run finishes undisturbed.

    The kills are spread over the jobs that are left, so that they reach every stage; each comes at
    a random moment after a random number of jobs.

    Args:
        workflow: in a folder of its own.
        arguments: of Snakemake, the same each time.
        kills: how many.
        seed: of the moments.
        jobs: how many the whole run has.
        logs: the folder that takes the output of each start.

    Returns:
        The kills; fewer where the run was done before.

    Raises:
        AssertionError: the run failed by itself.
    """
    draw = random.Random(seed)
    logs.mkdir(parents=True)
    begin = time.monotonic()
    made: list[Kill] = []
    left = jobs
    while len(made) < kills:
        log = logs / f"start{len(made):03}.log"
        wait_for = round(draw.uniform(0, 2 * left / (kills - len(made) + 1)))
        last = max(left - 2, 0)  # from here on the run may be done at any moment
        wait_for = min(wait_for, last)
        early = draw.random() < BEFORE_ANY_JOB
        start = time.monotonic()
        process = workflow.start(*arguments, log=log)
        while process.poll() is None and (
            steps(log)[0] < wait_for or not (early or "\nLog: " in log.read_text())
        ):
            time.sleep(0.05)
        until = time.monotonic() + draw.uniform(0, LONGEST_WAIT_SECONDS)
        while time.monotonic() < until and steps(log)[0] <= last and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is not None:
            assert process.returncode == 0, f"the run failed: see {log}"
            return made
        running = kill_tree(process)
        done, planned = steps(log)
        left = planned - done or left
        now = time.monotonic()
        made.append(
            Kill(
                len(made) + 1,
                round(now - begin, 1),
                round(now - start, 1),
                *(done, planned),
                "; ".join(running),
            )
        )
        print(line(made[-1]), flush=True)
    log = logs / f"start{len(made):03}.log"
    last = workflow.start(*arguments, log=log)
    assert last.wait() == 0, f"the last run failed: see {log}"
    return made


def steps(log: Path) -> tuple[int, int]:
    """Jobs done and jobs planned, by the lines that a run prints."""
    found = STEPS.findall(log.read_text(errors="replace"))
    return (int(found[-1][0]), int(found[-1][1])) if found else (0, 0)


def kill_tree(root: Popen[bytes]) -> list[str]:
    """kill -9 of a process and everything that came of it; the commands that were at work.

    The whole group, and its members' children that went into groups of their own (the interpreters
    of reports do). All are stopped first: none can start another one meanwhile.
    """
    stopped: set[psutil.Process] = set()
    while fresh := _tree(root.pid) - stopped:
        for process in fresh:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        stopped |= fresh
    running = [name for process in stopped if (name := _command(process))]
    for process in stopped:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    root.wait()
    psutil.wait_procs(stopped, timeout=20)
    assert root.returncode == -signal.SIGKILL, "the run ended before it was killed"
    return sorted(set(running))


def _tree(pid: int) -> set[psutil.Process]:
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if process.pid == pid or os.getpgid(process.pid) == pid:
                found |= {process, *process.children(recursive=True)}
    return found


def _command(process: psutil.Process) -> str:
    """`train mnist_paper --seed 0` of a process that runs `l2l`; "" of others."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    for place, word in enumerate(words):
        if Path(word).name == "l2l" and place < 2:
            options = words[place + 1 :]
            return " ".join(options[: options.index("--config-file")])
    return ""


def line(kill: Kill) -> str:
    """The kill as a line of the table."""
    jobs = kill.running or "(Snakemake: start, or between jobs)"
    return (
        f"{kill.number:4} {kill.seconds:8.1f} s {kill.since_start:7.1f} s "
        f"{kill.done:4}/{kill.planned:<4} {jobs}"
    )


def write_kills(path: Path, kills: list[Kill]) -> None:
    """The table as csv."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Kill.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(kill) for kill in kills)
