"""What a run prints: by records as Snakemake sends them, and in runs of a small target."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from tests.workflow.harness import SMOKE, Workflow

from l2l.evaluation.verdicts import (
    COLUMNS,
    INCONCLUSIVE,
    NOT_JUDGED,
    NOT_REPLICATED,
    NOT_YET_RUN,
    REPLICATED,
    read_claims,
)
from l2l.layout import Layout
from snakemake_logger_plugin_l2l import START, WIDTH, Job, LogHandler, about, duration, time_left

TRAIN = "l2l train quadratics_lstm --config-file results/smoke/config.yaml > train.log 2>&1"
FAILED = f"""RuleException:
CalledProcessError in file "workflow/rules/training.smk", line 46:
Command 'set -euo pipefail;  {TRAIN}' died with <Signals.SIGKILL: 9>."""


class Screen:
    """A handler, the records that it gets, and what it prints."""

    def __init__(self, **settings: Any) -> None:
        usual = {
            "stdout": False,
            "nocolor": False,
            "verbose": False,
            "dryrun": False,
            "quiet": set(),
        }
        self.handler = LogHandler(SimpleNamespace(**usual | settings), None)
        self.file = io.StringIO()
        self.handler.console = Console(file=self.file, width=80, highlight=False)

    def send(
        self, event: str | None = None, at: float = 0.0, message: str = "None", **fields: Any
    ) -> None:
        level = logging.ERROR if "error" in str(event) else fields.pop("level", logging.INFO)
        record = logging.LogRecord("snakemake.logging", level, "", 0, message, (), None)
        record.__dict__.update(fields, created=1000.0 + at)
        if event:
            record.event = event
        self.handler.handle(record)

    def begin(self, jobs: int = 2, **plan: Any) -> None:
        self.send("workflow_started", message="Workflow has started!")
        self.send("run_info", stats={"train": jobs, "all": 1, "total": jobs + 1})
        usual = {"costs": {}, "cores": 2, "targets": [], "log": [os.path.abspath("run.log")]}
        self.send("l2l_plan", message="", **usual | plan)

    def job(self, number: int, at: float = 0.0, **fields: Any) -> None:
        """A job starts; the fields are those of a record of Snakemake 9.27."""
        usual = {
            "rule_msg": "meta-training of quadratics_lstm, seed 0",
            "rule_name": "train",
            "wildcards": {"recipe": "quadratics_lstm", "seed": "0"},
            "log": ["train.log"],
            "output": [],
            "threads": 1,
            "resources": {"_cores": 1, "seconds": 30},
            "reason": "Missing output files: results/smoke/training/quadratics_lstm/summary.json",
            "shellcmd": TRAIN,
        }
        self.send("job_info", at, jobid=number, **usual | fields)

    @property
    def lines(self) -> list[str]:
        return self.file.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_job_is_a_line_when_it_ends_and_the_rest_of_snakemakes_words_is_not_shown() -> None:
    screen = Screen()
    screen.send(message="Building DAG of jobs...")
    screen.begin(jobs=13)
    screen.send(message="Select jobs to execute...")
    screen.job(7, at=1)
    screen.job(8, at=1, rule_msg=None)
    screen.job(9, at=2, rule_msg="meta-training of " + ", ".join(["quadratics_window_1"] * 3))
    screen.send("job_finished", at=3, job_id=7)
    screen.send("progress", at=3, done=1, total=14)
    screen.send("job_finished", at=84.4, job_id=8)
    screen.send("job_finished", at=85.4, job_id=9)
    header, log, first, second, third = screen.lines
    assert header.startswith("13 jobs on 2 cores, ")
    assert log == "Log: run.log"
    assert first.split("  ") == [" 1/13", *first.split("  ")[1:]]
    assert re.fullmatch(r" 1/13  meta-training of quadratics_lstm, seed 0 +2 s", first)
    assert re.fullmatch(r" 2/13  train quadratics_lstm 0 +1 min 23 s", second)
    assert re.fullmatch(r" 3/13  meta-training of quadratics_.*…  1 min 23 s", third)
    assert len(first) == len(second) == len(third) == WIDTH


def test_a_jobs_own_lines_for_the_user_are_shown_once() -> None:
    Path("train.log").write_text("l2l: a stand-in is used\ntrain: episode 4/4, 0:00 left.\n")
    screen = Screen()
    screen.begin()
    for number in (1, 2):
        screen.job(number)
        screen.send("job_finished", at=3, job_id=number)
    assert [line.strip() for line in screen.lines].count("l2l: a stand-in is used") == 1
    assert "episode" not in screen.file.getvalue()


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("train: 1/4\nl2l: no room; make some\n", "l2l: no room; make some"),
        ("Traceback (most recent call last):\n  ...\nValueError: bad\n", "ValueError: bad"),
        ("train: 1/4\n", "its command died with <Signals.SIGKILL: 9>"),
    ],
)
def test_a_job_that_fails_shows_its_own_error_first_then_its_log(log: str, shown: str) -> None:
    Path("train.log").write_text(log)
    screen = Screen()
    screen.begin()
    screen.job(1)
    screen.send("error", message=FAILED, exception="RuleException")
    fields = {"jobid": 1, "log": ["train.log"], "rule_msg": None, "indent": False}
    screen.send("job_error", at=65, **fields)
    text = "Exiting because a job execution failed. Look above for error messages"
    screen.send(level=logging.ERROR, message=text)
    text = "WorkflowError:\nAt least one job did not complete successfully."
    screen.send("error", message=text, exception="WorkflowError")
    assert screen.lines[2:] == [
        shown,
        "    meta-training of quadratics_lstm, seed 0 failed after 1 min 05 s; log: train.log",
        "0 of 2 jobs done, 1 failed. The same command goes on from here.",
    ]


def test_a_job_that_fails_and_succeeds_when_it_is_tried_again_has_not_failed() -> None:
    screen = Screen()
    screen.begin()
    screen.job(1)
    fields = {"jobid": 1, "log": ["train.log"], "rule_msg": "it timed out", "indent": False}
    screen.send("job_error", at=5, **fields)
    screen.send(message="Trying to restart job 1.")
    screen.job(1, at=6)
    screen.send("job_finished", at=9, job_id=1)
    screen.send(message="Terminating processes on user request, this might take some time.")
    assert [line.split("  ")[0] for line in screen.lines[2:]] == [
        "it timed out",
        "",
        "",
        "1/2",
        "1 of 2 jobs done. The same command goes on from here.",
    ]
    assert screen.lines[4] == "    it is tried again"
    assert screen.lines[5].endswith(" 3 s")


def test_of_jobs_that_were_submitted_together_only_the_one_that_failed_is_named() -> None:
    Path("bad.log").write_text("l2l: no room; make some\n")
    screen = Screen()
    screen.begin()
    for number, log in enumerate(("train.log", "bad.log")):
        screen.job(number, log=[log], rule_msg=f"job {number}")
    screen.send("group_error", at=9, aux_logs=["slurm.log"], job_error_info=[])
    for number, log in enumerate(("train.log", "bad.log")):
        screen.send("job_error", at=9, jobid=number, log=[log], rule_msg=None, indent=True)
    assert screen.lines[2:] == [
        "jobs that were submitted together failed; log: slurm.log",
        "l2l: no room; make some",
        "    job 1 failed after 9 s; log: bad.log",
    ]


def test_other_errors_and_warnings_are_shown_as_they_are() -> None:
    screen = Screen()
    screen.send("error", message="MissingInputException: no file", exception="x")
    screen.send(level=logging.WARNING, message="something odd")
    assert screen.lines == ["MissingInputException: no file", "something odd"]


CRASH = "Traceback (most recent call last):\n\n  File x\n\n"
MISTYPED = {
    "MissingRuleException:\nNo rule to produce mnst (if you use input functions make sure ...).": (
        "l2l: nothing makes mnst (did you mean 'mnist'?); there are: mnist, mnist_report"
    ),
    "WorkflowError in file x, line 4:\nWorkflow requires a total number of cores to be defined": (
        "l2l: on how many cores? Add --cores all, or a number"
    ),
    f"{CRASH}FileNotFoundError: [Errno 2] No such file or directory: 'mine.yaml'\n\n": (
        "l2l: no file mine.yaml"
    ),
    f"{CRASH}ValueError: Invalid config definition: ... (Unparsable value: 'mnist')": (
        "l2l: --config takes key=value, not mnist; targets go before --config, and a value with "
        "spaces into quotes"
    ),
    f"{CRASH}TypeError: odd\n": "TypeError: odd",
}


@pytest.mark.parametrize(("error", "told"), MISTYPED.items())
def test_what_was_mistyped_is_told_in_a_line(error: str, told: str) -> None:
    screen = Screen()
    targets = ["mnist", "mnist_report"]
    screen.send("l2l_layout", layout=Layout("smoke"), targets=targets, message="")
    screen.send("error", message=error, exception="x")
    assert " ".join(screen.lines) == told


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mnst", *SMOKE), "nothing makes mnst (did you mean 'mnist'?); there are: "),
        ((*SMOKE, "--configfile", "mine.yaml"), "no file mine.yaml"),
        ((*SMOKE, "mnist"), "--config takes key=value, not mnist; targets go before --config"),
    ],
)
def test_snakemake_tells_what_was_mistyped(
    workflow: Workflow, arguments: tuple[str, ...], told: str
) -> None:
    done = workflow.run(*arguments)
    assert done.returncode
    assert f"l2l: {told}" in " ".join(done.stderr.splitlines())
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_is_one_line_however_many_jobs_it_ends() -> None:
    screen = Screen()
    screen.begin()
    screen.job(1)
    screen.send(message="Terminating processes on user request, this might take some time.")
    screen.send("error", message=FAILED, exception="RuleException")
    screen.send("job_error", jobid=1, log=["train.log"], rule_msg=None)
    text = "WorkflowError:\nAt least one job did not complete successfully."
    screen.send("error", message=text, exception="WorkflowError")
    assert screen.lines[2:] == ["0 of 2 jobs done. The same command goes on from here."]


def judged(layout: Layout, rows: list[tuple[str, str]]) -> None:
    """A page, and a table of (claim, verdict) as read_claims takes it."""
    layout.page.parent.mkdir(parents=True, exist_ok=True)
    layout.page.write_text("")
    table = pd.DataFrame({name: [None] * len(rows) for name in COLUMNS})
    table["claim"], table["verdict"] = zip(*rows, strict=True)
    table["primary"] = table["deciding"] = True
    table.to_csv(layout.claims, index=False)
    read_claims(layout.claims)


def test_a_run_ends_with_the_claims_and_the_page() -> None:
    layout = Layout("default")
    rows = [("C1", REPLICATED), ("C2", NOT_REPLICATED), ("C2", REPLICATED)]  # a second optimizer
    judged(layout, [*rows, ("C3", NOT_REPLICATED), ("C4", INCONCLUSIVE), ("C5", NOT_YET_RUN)])
    screen = Screen()
    screen.send("l2l_layout", layout=layout, targets=[], message="")
    screen.begin(jobs=1, targets=[str(layout.page)])
    screen.job(1)
    screen.send("job_finished", at=60, job_id=1)
    screen.send("progress", at=61, done=2, total=2)
    assert screen.lines[-3:] == [
        "1 job done in 1 min 01 s.",
        "Of 5 claims 1 replicated, 2 did not, 2 are not settled.",
        "The page: results/default/index.html",
    ]


def test_where_there_is_nothing_to_do_the_claims_and_the_page_are_told_too() -> None:
    layout = Layout("smoke")
    judged(layout, [("C1", NOT_JUDGED), ("C2", NOT_JUDGED)])

    def told() -> list[str]:
        screen = Screen()
        screen.send("l2l_layout", layout=layout, targets=[], message="")
        screen.send(message="Nothing to be done (all requested files are present and up to date).")
        return screen.lines[1:]

    page = "The page: results/smoke/index.html"
    none = "None of the 2 claims is judged: the numbers of smoke mean nothing."
    assert told() == [none, page]
    layout.claims.write_text("claim,verdict\nC1,replicated\n")  # as an earlier version wrote it
    assert told() == [page]
    layout.claims.unlink()
    assert told() == []


def test_a_dry_run_is_a_table_of_the_stages() -> None:
    screen = Screen(dryrun=True)
    for number in range(12):
        screen.job(number, reason="Params have changed since last execution: x")
    draw = {"shellcmd": "l2l figure mnist > log", "resources": {}}
    screen.job(13, reason="Input files updated by another job: curves.parquet", **draw)
    screen.job(14, shellcmd=None)
    screen.send(message="This was a dry-run (flag -n). The order of jobs does not ...")
    assert [line.split() for line in screen.lines[:3]] == [
        ["would", "run", "jobs", "because"],
        ["train", "12", "changed", "setting"],
        ["figure", "1", "follows", "from", "others"],
    ]
    minutes = round((12 * (30 + START) + START) / 60)
    assert screen.lines[3] == f"13 jobs, about {minutes} min of one core"


@pytest.mark.parametrize("slowness", [0.3, 1, 4])
def test_the_time_left_converges_on_machines_of_any_speed(slowness: float) -> None:
    """40 jobs of 10 to 50 seconds on 2 cores, on a machine that is so much slower."""
    jobs = [Job(seconds=10.0 + number % 5 * 10) for number in range(40)]
    free = [1000.0, 1000.0]
    for job in jobs:
        job.start = min(free)
        job.end = job.start + slowness * job.seconds
        free[free.index(job.start)] = job.end
    whole = max(free) - 1000
    for part in (0.25, 0.5, 0.9):
        now = 1000 + part * whole
        seen = [
            Job(
                seconds=job.seconds,
                start=job.start if job.start <= now else 0.0,
                end=job.end if job.end <= now else 0.0,
            )
            for job in jobs
        ]
        left = time_left(seen, 2, 1000.0, now)
        assert left == pytest.approx((1 - part) * whole, rel=0.25, abs=30 * slowness)


def test_a_job_that_takes_longer_than_was_thought_leaves_time() -> None:
    assert time_left([Job(seconds=10, start=1000.0)], 2, 1000.0, 2000.0) >= 100


def test_times_are_in_words() -> None:
    assert [duration(seconds) for seconds in (3.6, 83, 7500)] == ["4 s", "1 min 23 s", "2 h 05 min"]
    assert about(50) == "less than a minute"
    assert [about(seconds) for seconds in (90, 9000)] == ["about 2 min", "about 2.5 h"]


@pytest.mark.workflow
def test_a_run_prints_only_what_a_user_needs(workflow: Workflow) -> None:
    done = workflow.run(*SMOKE, "--", "optimizer_loop")
    assert done.returncode == 0, done.stderr
    profile, header, log, job, end, made = done.stderr.splitlines()
    assert profile.startswith("Using workflow specific profile"), "Snakemake's, before any logger"
    assert header == "1 job on 2 cores, less than a minute"
    text = (workflow.folder / log.removeprefix("Log: ")).read_text()
    assert "Reason: Missing output files: " in text
    assert re.fullmatch(r"1/1  figure optimizer_loop +\d+ s", job)
    assert re.fullmatch(r"1 job done in \d+ s\.", end)
    assert made == "figures/smoke/optimizer_loop.png"
    assert not done.stdout
    again = workflow.run(*SMOKE, "--", "optimizer_loop")
    assert again.stderr.splitlines()[1:] == ["Nothing to do: everything is there and up to date."]


@pytest.mark.workflow
def test_a_terminal_shows_what_runs_until_ctrl_c(workflow: Workflow) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(workflow.folder)
        long = "recipes={quadratics_lstm: {episodes: 10000}}"  # it does not end before it is read
        command = workflow.command(*SMOKE, long, "--", "quadratics")
        os.execve(command[0], command, workflow.environment | {"TERM": "xterm"})
    text, deadline = "", time.monotonic() + 300
    while "· meta-training of" not in text and time.monotonic() < deadline:
        text += os.read(terminal, 4096).decode()
    os.write(terminal, b"\x03")
    rest = ""
    try:
        while part := os.read(terminal, 4096):
            rest += part.decode()
    except OSError:  # Linux: its other end is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert "· meta-training of" in text
    shown = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", rest).split("\n")
    end = r"\d of \d jobs done\. The same command goes on from here\."
    assert re.fullmatch(end, shown[-2].strip()), rest
    assert "Traceback" not in rest
    assert "RuleException" not in rest
