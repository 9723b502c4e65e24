"""Snakemake in a copy of the workflow, in a folder of its own."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SMOKE = ("--config", "protocol=smoke")


@dataclass(frozen=True)
class Workflow:
    """Snakemake in a folder."""

    folder: Path
    data: Path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "L2L_DATA_DIR": str(self.data)}

    def run(self, *arguments: str, timeout: int = 3600) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, *arguments: str, log: Path = Path(os.devnull)) -> subprocess.Popen[bytes]:
        """A run in the background, in a process group of its own; its output goes to `log`."""
        with log.open("wb") as file:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def planned(self, *arguments: str) -> set[str]:
        """The rules that a dry run would run."""
        done = self.run("--dry-run", "--verbose", *arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        lines = (done.stdout + done.stderr).splitlines()
        words = [line.split() for line in lines if line.startswith(("rule ", "localrule "))]
        return {second.rstrip(":") for _, second in words}


def copy_workflow(folder: Path, data: Path) -> Workflow:
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "environment.yml", folder)
    return Workflow(folder, data)


def wait_for(path: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.1)
