"""A SLURM cluster of one node on this machine, for as long as a test runs. Needs root."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
# Not a file of our own named by SLURM_CONF: Snakemake's plugin takes that from its jobs.
CONFIGURATION = Path("/etc/slurm/slurm.conf")
SECONDS_TO_START = 60


@contextmanager
def one_node() -> Iterator[None]:
    """A running cluster; jobs that are left when it ends are cancelled.

    Raises:
        RuntimeError: it cannot be: no root, another SLURM on this machine, or it does not start.
    """
    if os.geteuid() != 0:
        raise RuntimeError("only root can start SLURM: run this test in a container")
    if CONFIGURATION.exists() or "SLURM_CONF" in os.environ:
        raise RuntimeError(f"{CONFIGURATION} or $SLURM_CONF: this machine has a SLURM of its own")
    install()
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge wants its socket to be within everyone's reach
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.unlink(missing_ok=True)  # a link that a killed test has left
    CONFIGURATION.symlink_to(folder / "slurm.conf")
    write_configuration(folder)
    daemons = []
    try:
        for command in commands(folder):
            daemons.append(subprocess.Popen(command, stderr=(folder / "errors").open("ab")))
        wait_until_idle(folder)
        yield
    finally:
        subprocess.run(["scancel", "--partition=main"], check=False)
        deadline = time.monotonic() + 30
        while say("squeue", "--noheader") and time.monotonic() < deadline:
            time.sleep(1)
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(timeout=30)
        CONFIGURATION.unlink()
        shutil.rmtree(folder, ignore_errors=True)


def install() -> None:
    """Install SLURM and munge from Debian where they are missing."""
    if all(shutil.which(program) for program in PROGRAMS):
        return
    if not shutil.which("apt-get"):
        raise RuntimeError(f"missing: one of {', '.join(PROGRAMS)}, and there is no apt-get")
    subprocess.run(["apt-get", "update", "--quiet"], check=True)
    subprocess.run(
        ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "slurm-wlm", "munge"],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        check=True,
    )


def write_configuration(folder: Path) -> None:
    """slurm.conf and munge's key; nothing of either is outside the folder."""
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    cores = len(os.sched_getaffinity(0))
    mebibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    host, (control, node) = socket.gethostname(), free_ports(2)
    lines = f"""
        ClusterName=test
        SlurmctldHost={host}(127.0.0.1)
        SlurmctldPort={control}
        SlurmdPort={node}
        SlurmUser=root
        AuthType=auth/munge
        AuthInfo=socket={folder}/munge.socket
        StateSaveLocation={folder}/state
        SlurmdSpoolDir={folder}/spool
        SlurmctldPidFile={folder}/slurmctld.pid
        SlurmdPidFile={folder}/slurmd.pid
        SlurmctldLogFile={folder}/slurmctld.log
        SlurmdLogFile={folder}/slurmd.log
        # What works without systemd and cgroups:
        ProctrackType=proctrack/pgid
        TaskPlugin=task/none
        JobAcctGatherType=jobacct_gather/none
        AccountingStorageType=accounting_storage/none
        MpiDefault=none
        SelectType=select/cons_tres
        SelectTypeParameters=CR_CPU_Memory
        NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={mebibytes}
        PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
    """
    text = "\n".join(line.strip() for line in lines.splitlines())
    (folder / "slurm.conf").write_text(text + "\n")
    for name in ("state", "spool"):
        (folder / name).mkdir()


def commands(folder: Path) -> list[list[str]]:
    """The daemons, in the foreground, in the order in which they start."""
    munge = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
    munge |= {"log-file": "munged.log", "seed-file": "munged.seed"}
    options = [f"--{option}={folder / name}" for option, name in munge.items()]
    return [["munged", "--foreground", *options], ["slurmctld", "-D"], ["slurmd", "-D"]]


def wait_until_idle(folder: Path) -> None:
    """Wait until the node takes jobs.

    Raises:
        RuntimeError: it does not; with the ends of the logs.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while say("sinfo", "--noheader", "--format=%T") != "idle":
        if time.monotonic() > deadline:
            logs = [*folder.glob("*.log"), folder / "errors"]
            raise RuntimeError("\n".join(f"{log}: {log.read_text()[-1500:]}" for log in logs))
        time.sleep(0.5)


def say(*command: str) -> str:
    """What a command prints; nothing where it fails, as while the cluster is starting."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
