"""Resources of jobs for a cluster: time, memory, GPUs. On one machine they limit nothing."""

PAPER = 12  # times as long as under the other protocols


localrules:  # they run beside Snakemake: data needs the internet, the others take a second
    data,
    collect,
    runs,


def minutes(usual):
    """Wall time in minutes on slow cores; a job that ran out of it gets more the next time."""
    return lambda wildcards, attempt: resumed_minutes(usual) * attempt


def resumed_minutes(usual):
    """Wall time in minutes of a job that resumes where it was stopped: the same each time."""
    return usual * PAPER if CONFIG.protocol == "paper" else usual


def memory(wildcards, attempt):
    """Memory in MiB; the largest jobs take 1,200. A job that needed more gets more the next time."""
    return 2000 * attempt


def gpus(stage):
    """Number of GPUs: 1 if the stage asks for cuda. `auto` asks for none and takes one if it can."""
    return int(CONFIG.compute.device_of(stage) == "cuda")
