"""What a cluster is told about jobs; on one machine nothing is limited by it. Cores: `threads`."""

PAPER = 12  # times as long as under the other protocols


localrules:  # run where Snakemake does: fetching needs the internet, the others take a second
    data,
    collect,
    runs,


def minutes(usual):
    """Wall time, for slow cores; a job that ran out of it gets more the next time."""
    return lambda wildcards, attempt: resumed_minutes(usual) * attempt


def resumed_minutes(usual):
    """Wall time of a job that goes on where the time ended: the same each time."""
    return usual * PAPER if CONFIG.protocol == "paper" else usual


def memory(wildcards, attempt):
    """In MiB: the largest jobs take 1,200; more where it was too little."""
    return 2000 * attempt


def gpus(stage):
    """One where the stage asks for cuda. `auto` asks for none and takes one that is there."""
    return int(CONFIG.compute.device_of(stage) == "cuda")
