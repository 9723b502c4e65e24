"""What a run shows: a line for each job that ends, what runs now, the time left, and the outcome.

Snakemake finds this package by its name and uses it where `logger` says l2l (profiles/default).
`snakemake --verbose` shows what Snakemake shows by itself. So does its log, whose name is printed.

Two events are of this project; workflow/rules sends them. `l2l_layout` has the `layout` of the run
and the `targets` that one can ask for by name. `l2l_plan` comes before the first job. It has
`costs` (job -> the seconds that it may take, and its cores), `cores` (0 on a cluster), `log` (the
files), `targets` (what was asked for).
"""

from __future__ import annotations

import csv
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from logging import INFO, Handler, LogRecord
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from l2l.errors import did_you_mean
from l2l.evaluation.verdicts import NOT_JUDGED, NOT_REPLICATED, RECIPE, REPLICATED

if TYPE_CHECKING:
    from l2l.layout import Layout

WIDTH = 79
START = 4.0  # seconds of a job besides its work: Python and PyTorch start
TRUST = 10.0  # core-seconds of finished jobs that count as much as the estimate
FEW = 10  # jobs that a dry run names one by one
NOISE = ("Building DAG of jobs...", "Assuming unrestricted shared filesystem usage.")
REASONS = {  # the beginnings of Snakemake's
    "Missing output files": "not there yet",
    "Input files updated by another job": "follows from others",
    "Updated input files": "newer input",
    "Params have changed": "changed setting",
    "Code has changed": "changed command",
    "Set of input files has changed": "other input",
    "Incomplete output files": "stopped midway",
    "Forced execution": "asked for",
}
ADVICE = {  # patterns in Snakemake's errors about a command that was mistyped
    r"requires a total number of cores": "on how many cores? Add --cores all, or a number",
    r"No such file or directory: '(.*)'": "no file {}",
    r"Unparsable value: '(.*)'\)": "--config takes key=value, not {}; targets go before --config, "
    "and a value with spaces into quotes",
}
NO_RULE = re.compile(r"No rule to produce (.+?)(?: \(if you use input functions|$)", re.MULTILINE)
EXIT = re.compile(r"(returned non-zero exit status \d+|died with .*)\.\s*$")


@dataclass
class Job:
    """A job of the run.

    Attributes:
        seconds: that it may take.
        cores: that it holds.
        words: what it does.
        command: what the shell runs.
        logs: the files that take its output.
        start, end: times since the epoch; 0: not yet.
        failed: whether its last attempt has.
    """

    seconds: float = START
    cores: int = 1
    words: str = ""
    command: str = ""
    logs: list[str] = field(default_factory=list)
    start: float = 0.0
    end: float = 0.0
    failed: bool = False


def time_left(jobs: Collection[Job], cores: int, began: float, now: float) -> float:
    """Seconds until all jobs are done, from their estimates and from the run so far.

    The estimates are stretched by what jobs took over what was estimated for them: those that are
    done, and those that are late. The cores are taken to stay as busy as they were. At first the
    estimates count as right, and no core as idle.
    """
    measured = estimated = busy = 0.0
    for job in jobs:
        if job.start:
            took = (job.end or now) - job.start
            busy += took * job.cores
            if job.end or took > job.seconds:
                measured += took * job.cores
                estimated += job.seconds * job.cores
    slowness = (measured + TRUST) / (estimated + TRUST)
    use = min((busy + TRUST) / (cores * (now - began) + TRUST), 1)
    work = longest = 0.0
    for job in jobs:
        if not job.end:
            elapsed = now - job.start if job.start else 0
            rest = max(slowness * job.seconds - elapsed, elapsed / 10)
            work += rest * job.cores
            longest = max(longest, rest)
    return max(work / cores / use, longest)


def duration(seconds: float) -> str:
    """A time for people: 4 s, 1 min 23 s, 2 h 05 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def about(seconds: float) -> str:
    """A time that is not known well: less than a minute, 12 min, 1.5 h."""
    if seconds < 60:
        return "less than a minute"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def counted(number: int, noun: str) -> str:
    """1 job, 2 jobs."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_short(claims: Path) -> str:
    """How many claims have which verdict, by the answer of the optimizer that was named first.

    It reads the table by itself, because what judges claims takes a second to import. The table
    of an earlier version gives "".
    """
    verdicts: dict[str, str] = {}
    with claims.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row.get("deciding") == "True" and row.get("answer") != RECIPE:
                verdicts.setdefault(row["claim"], row["verdict"])
    count = Counter(verdicts.values())
    if not count:
        return ""
    if [*count] == [NOT_JUDGED]:
        return f"None of the {len(verdicts)} claims is judged: the numbers of smoke mean nothing."
    yes, no = count[REPLICATED], count[NOT_REPLICATED]
    rest = len(verdicts) - yes - no
    return f"Of {len(verdicts)} claims {yes} replicated, {no} did not, {rest} are not settled."


class LogHandler(LogHandlerBase):
    """Snakemake hands it every record, in a thread of its own."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False  # Snakemake's own: --quiet, --printshellcmds
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        settings = self.common_settings
        self.console = Console(
            stderr=not settings.stdout, no_color=settings.nocolor or None, highlight=False
        )
        self._everything: Handler | None = None
        if settings.verbose:
            from snakemake.logging import ColorizingTextHandler, DefaultFormatter

            self._everything = ColorizingTextHandler(
                nocolor=settings.nocolor,
                stream=self.console.file,
                formatter=DefaultFormatter(settings.quiet, settings.show_failed_logs),
            )
        self._live: Live | None = None
        self._layout: Layout | None = None
        self._targets: list[str] = []
        self._plan: Any = None
        self._jobs: dict[int, Job] = {}
        self._reasons: dict[int, str] = {}
        self._total = 0
        self._exits: list[tuple[str, str]] = []  # Snakemake's words on a command, and on its end
        self._said: set[str] = set()
        self._working = self._stopped = False

    def emit(self, record: LogRecord) -> None:
        """Show what a record means for the user, if it means anything."""
        try:
            if self._everything:
                record.rule_msg = None  # where a job has words, Snakemake shows nothing else of it
                self._everything.emit(record)
            else:
                self._show(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Remove the live line."""
        if self._live:
            self._live.stop()
        super().close()

    def _show(self, record: Any) -> None:
        match getattr(record, "event", None):
            case "l2l_layout":
                self._layout, self._targets = record.layout, record.targets
            case "l2l_plan":
                self._begin(record)
            case LogEvent.WORKFLOW_STARTED:
                self._working = True
            case LogEvent.RUN_INFO:
                self._total = record.stats["total"] - record.stats.get("all", 0)
            case LogEvent.JOB_INFO if record.shellcmd:  # the rule `all` has none
                self._start(record)
            case LogEvent.SHELLCMD if record.shellcmd:
                self._print(f"    {record.shellcmd.strip()}", "dim")
            case LogEvent.JOB_FINISHED:
                self._finish(self._jobs.get(record.job_id), record.created)
            case LogEvent.PROGRESS if record.done == record.total:
                self._end(record.created)
            case LogEvent.GROUP_ERROR if not self._stopped:
                logs = ", ".join(record.aux_logs)
                self._print(f"jobs that were submitted together failed; log: {logs}", "red")
            case LogEvent.JOB_ERROR if not self._stopped:
                self._fail(record)
            case LogEvent.ERROR if not self._stopped:
                self._error(record.msg)
            case None:
                self._message(record)

    def _begin(self, plan: Any) -> None:
        self._plan = plan
        self._jobs = {
            job: Job(START + seconds, cores) for job, (seconds, cores) in plan.costs.items()
        }
        if not self._total:  # --quiet
            return
        where = left = ""
        if plan.cores:
            where = f" on {counted(plan.cores, 'core')}"
            left = f", {about(self._time_left(plan.created))}"
        self._print(f"{counted(self._total, 'job')}{where}{left}", "bold")
        self._print(f"Log: {', '.join(map(os.path.relpath, plan.log))}")
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._live = Live(
                get_renderable=self._now,
                console=self.console,
                refresh_per_second=1,
                transient=True,
            )
            self._live.start(refresh=True)
            self.console.show_cursor(True)  # a killed run must not leave a terminal without one

    def _start(self, record: Any) -> None:
        job = self._jobs.setdefault(record.jobid, Job(cores=record.threads))
        job.words = record.rule_msg or " ".join([record.rule_name, *record.wildcards.values()])
        job.command, job.logs = record.shellcmd.strip(), record.log
        job.start, job.end, job.failed = record.created, 0.0, False
        if self.common_settings.dryrun:
            job.seconds = START + record.resources.get("seconds", 0)
            self._reasons[record.jobid] = record.reason

    def _finish(self, job: Job | None, now: float) -> None:
        if not job or not job.start:  # the rule `all`, --quiet
            return
        job.end = now
        count = f"{self._done:>{len(str(self._total))}}/{self._total}"
        took = duration(now - job.start)
        room = WIDTH - len(count) - len(took) - 4
        words = job.words if len(job.words) <= room else f"{job.words[: room - 1]}…"
        self._print(f"{count}  {words:<{room}}  {took}")
        for line in _lines(job.logs):
            if line.startswith("l2l: ") and line not in self._said:
                self._said.add(line)
                self._print(f"    {line}", "yellow")

    def _fail(self, record: Any) -> None:
        job = self._jobs[record.jobid]
        lines = _lines(job.logs)
        exits = [text for command, text in self._exits if job.command in command]
        if lines and (lines[-1].startswith("l2l: ") or any("Traceback" in line for line in lines)):
            self._print(lines[-1], "bold red")
        elif record.indent:  # any of those that were submitted together
            return
        elif exits:
            self._print(f"its command {exits[-1]}", "bold red")
        elif record.rule_msg:
            self._print(record.rule_msg)
        took = duration(record.created - job.start)
        self._print(f"    {job.words} failed after {took}; log: {', '.join(record.log)}", "red")
        job.start, job.failed = 0.0, True

    def _error(self, text: str) -> None:
        if self.common_settings.quiet:
            self._print(text, "red")
        elif exit := EXIT.search(text):
            self._exits.append((text, exit[1]))
        elif "At least one job did not complete successfully." in text:
            self._stop()
        else:
            self._print(self._in_a_line(text), "red")

    def _in_a_line(self, error: str) -> str:
        """Snakemake's words on what the user typed, as the commands of l2l would say it.

        Of what Snakemake has no words for either, the last line; --verbose shows the traceback.
        """
        if found := NO_RULE.search(error):
            close = did_you_mean(found[1], self._targets)
            return f"l2l: nothing makes {found[1]}{close}; there are: {', '.join(self._targets)}"
        for pattern, words in ADVICE.items():
            if found := re.search(pattern, error):
                return f"l2l: {words.format(*found.groups())}"
        return error.strip().splitlines()[-1] if error.startswith("Traceback") else error

    def _message(self, record: Any) -> None:
        text = record.msg
        if text.startswith("Terminating processes on user request"):
            self._stop()
        elif text.startswith("Will exit after finishing currently running jobs"):
            if text not in self._said:  # it comes again with each job that ends
                self._said.add(text)
                self._print("stopping: the jobs that run are finished, no other is started")
        elif text.startswith("Trying to restart job"):
            self._print("    it is tried again")
        elif text.startswith("Nothing to be done"):
            self._print("Nothing to do: everything is there and up to date.")
            self._outcome()
        elif text.startswith("This was a dry-run"):
            self._table()
        elif text.startswith("Exiting because a job execution failed"):
            pass
        elif record.levelno > INFO:
            self._print(text, "yellow")
        elif not self._working and text not in NOISE:  # such as what --report has made
            self._print(text)

    @property
    def _done(self) -> int:
        return sum(job.end > 0 for job in self._jobs.values())

    def _time_left(self, now: float) -> float:
        return time_left([*self._jobs.values()], self._plan.cores, self._plan.created, now)

    def _now(self) -> Text:
        """The live line; rich asks for it each second."""
        now = time.time()
        running = [job for job in [*self._jobs.values()] if job.start and not job.end]
        times = duration(now - self._plan.created)
        if self._plan.cores:
            times += f", {about(self._time_left(now))} left"
        words = "; ".join(job.words for job in sorted(running, key=lambda job: job.start))
        line = Text(f"{times} · {words}", "cyan", no_wrap=True)
        line.truncate(self.console.width - len("^C") - 1, overflow="ellipsis")  # it is echoed there
        return line

    def _stop(self) -> None:
        """The run ends before its end."""
        if self._live:
            self._live.stop()
        self._stopped = True
        failed = sum(job.failed for job in self._jobs.values())
        text = f"{self._done} of {counted(self._total, 'job')} done"
        self._print(f"{text}, {failed} failed. " if failed else f"{text}. ", "bold", end="")
        self._print("The same command goes on from here.")

    def _end(self, now: float) -> None:
        """Every job is done."""
        if self._live:
            self._live.stop()
        took = f" in {duration(now - self._plan.created)}" if self._plan else ""
        self._print(f"{counted(self._total, 'job')} done{took}.", "bold green")
        targets = self._plan.targets if self._plan else []
        if self._layout and str(self._layout.page) in targets:
            self._outcome()
        elif targets:
            self._print(", ".join(targets[:3]) + (", ..." if targets[3:] else ""))

    def _outcome(self) -> None:
        """The claims in a sentence, and the page."""
        layout = self._layout
        if layout and layout.page.exists() and layout.claims.exists():
            if sentence := in_short(layout.claims):
                self._print(sentence)
            self._print(f"The page: {layout.page}")

    def _table(self) -> None:
        """What a dry run found."""
        rows = defaultdict[str, list[int]](list)
        for number, job in self._jobs.items():
            few = len(self._jobs) <= FEW
            rows[job.words if few else job.command.split()[1]].append(number)
        width = max(map(len, rows), default=0)
        self._print(f"{'would run':<{width}}  jobs  because", "bold")
        for name, numbers in rows.items():
            reasons = Counter(_because(self._reasons[number]) for number in numbers)
            why = ", ".join(
                reason if count == len(numbers) else f"{count} {reason}"
                for reason, count in reasons.most_common()
            )
            self._print(f"{name:<{width}}  {len(numbers):4}  {why}")
        work = sum(job.seconds * job.cores for job in self._jobs.values())
        self._print(f"{counted(len(self._jobs), 'job')}, {about(work)} of one core", "bold")
        self._print("Each of them, and why: snakemake -n --verbose")

    def _print(self, text: str, style: str = "", end: str = "\n") -> None:
        self.console.print(Text(text, style), soft_wrap=True, end=end)


def _because(reason: str) -> str:
    """Snakemake's first reason for a job, in few words."""
    words = (short for beginning, short in REASONS.items() if reason.startswith(beginning))
    return next(words, reason.split(":")[0].lower())


def _lines(logs: list[str]) -> list[str]:
    """The lines of a job's logs; a log may be missing, as on a slow network file system."""
    lines: list[str] = []
    for log in logs:
        if Path(log).is_file():
            lines += Path(log).read_text(errors="replace").splitlines()
    return [line for line in lines if line.strip()]
