"""The checked configuration, the paths of outputs, the resources of jobs, and one run at a time in a folder.

`conda:` in the rules names the environment for `snakemake --lint` and readers. Activate it first (docs/running.md):
`--sdm conda` cannot make it, because environment.yml installs this checkout.
"""

import fcntl
import os
import shlex
import sys
from pathlib import Path

from snakemake_interface_executor_plugins.settings import ExecMode

from l2l.config import load_config, resolved_yaml
from l2l.config.costs import (
    evaluation_seconds,
    seed_seconds,
    test_groups,
    test_seconds,
    training_groups,
    training_seconds,
    trial_seconds,
    tuning_seconds,
)
from l2l.config.measurements import META_SEED
from l2l.config.schema import STAGES
from l2l.config.inputs import (
    claim_inputs,
    digest,
    drawing_inputs,
    evaluation_inputs,
    measurement_inputs,
    training_inputs,
    trial_inputs,
    tuning_inputs,
)
from l2l import release
from l2l.errors import UserError, in_words
from l2l.files import mend_times, write_text
from l2l.layout import Layout


def stop(reason):
    """End before any job starts, with one line: Snakemake would print an exception as its own error."""
    print(f"l2l: {reason}", file=sys.stderr, flush=True)
    os._exit(2)


try:
    CONFIG = load_config(overrides=config)
except UserError as error:
    stop(error)

experiments = CONFIG.experiments
LAYOUT = Layout(CONFIG.run_name)
RESULTS = LAYOUT.results
LOGS = RESULTS / "logs"
EXPERIMENTS = list(experiments)
MEASURED = sorted(  # measurements that claims name
    {one.table for claim in CONFIG.claims.values() for one in claim.measured}
)
RECIPES = list(CONFIG.recipes)
WITH_PICTURES = [name for name in EXPERIMENTS if experiments[name].evaluation.pictures]
BASELINES = sorted({name for entry in experiments.values() for name in entry.baselines})
TAKEN = release.taken(CONFIG)  # from the record, and so neither meta-trained nor tuned
TUNED = [name for name in EXPERIMENTS if experiments[name].tuning.origin == "tuned"]
RUNS = {  # the folders of every meta-training
    recipe: [LAYOUT.run(recipe, seed) for seed in range(CONFIG.recipes[recipe].meta_seeds)]
    for recipe in CONFIG.used_recipes()
}

# Short trainings and tests that one job does, and the longer ones with jobs for their pieces. On a
# cluster all are pieces: its profile has default resources, and its jobs read this file again.
CLUSTER = workflow.resource_settings.default_resources or workflow.exec_mode == ExecMode.REMOTE
SHORTEST = 0 if CLUSTER else CONFIG.compute.shortest_job
TRAINED_TOGETHER = training_groups(CONFIG, SHORTEST)
TESTED_TOGETHER = test_groups(CONFIG, SHORTEST)
TRAINED_ALONE = sorted(
    {name for name in RECIPES if CONFIG.recipes[name].origin == "trained"}
    - {name for group in TRAINED_TOGETHER.values() for name in group}
)
TESTED_ALONE = sorted(
    {*EXPERIMENTS} - {name for group in TESTED_TOGETHER.values() for name in group}
)

# Jobs use the l2l of this interpreter, even if its environment is not activated. The prefix replaces
# Snakemake's own, which stops at the first error, too.
shell.prefix(
    f"set -euo pipefail; export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
)


def any_of(names):
    """A regular expression for these names and no others, for wildcard_constraints."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    recipe=any_of(RECIPES),
    experiment=any_of(EXPERIMENTS),
    baseline=any_of(BASELINES),
    seed="[0-9]+",
    trial="[0-9]+",


onstart:
    global LOCK  # held as long as this process lives
    # The kernel releases this lock when the process ends. Snakemake's own lock (switched off in the
    # profile) would stay after a kill.
    try:
        Path(".snakemake").mkdir(exist_ok=True)
        LOCK = open(".snakemake/l2l.lock", "w")
        fcntl.flock(LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stop("another run is at work in this folder; wait for it or stop it")
    except OSError as error:  # also on file systems without locks
        stop(f"cannot lock .snakemake/l2l.lock: {in_words(error)}")
    if workflow.local_exec:
        # Its timers multiply with every job that ends, each one a look at the whole queue: 30 s of
        # CPU in a smoke run. It is there for clusters (--max-jobs-per-timespan, 100 jobs a second).
        workflow.scheduler.job_rate_limiter = None
    # On a cluster the jobs check for a GPU themselves: this machine may have none.
    if workflow.local_exec and any(
        job.resources.get("gpu") for job in workflow.dag.needrun_jobs()
    ):
        from l2l.compute import prepare  # imports PyTorch: seconds

        try:
            for stage in STAGES:
                prepare(CONFIG.compute, stage)
        except UserError as error:
            stop(error)
    try:
        # A job whose input is newer than its output fails.
        if count := mend_times([RESULTS, LAYOUT.figures, Path("workflow")]):
            print(
                f"l2l: {count} files seemed to come from the future, as a clock was wrong: "
                "they have times before now, in the same order",
                file=sys.stderr,
            )
        if not LAYOUT.config.exists() or LAYOUT.config.read_text() != resolved_yaml(CONFIG):
            write_text(LAYOUT.config, resolved_yaml(CONFIG))
    except OSError as error:
        stop(in_words(error))
    logger.info("", extra={"event": "l2l_plan", "log": log} | plan())


def plan():
    """What the logger shows of the jobs before they start."""
    jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.shellcmd]
    return {
        "cores": workflow.cores if workflow.local_exec else 0,
        "costs": {
            workflow.dag.jobid(job): (job.resources.get("seconds", 0), job.threads) for job in jobs
        },
        "targets": [
            str(file) for job in workflow.dag.targetjobs for file in job.output[:1] or job.input
        ],
    }


def data_of(*problems):
    """The records of the data sets that problems need."""
    return [LAYOUT.data(dataset) for dataset in CONFIG.datasets(*problems)]


def data_of_recipe(wildcards):
    return data_of(*CONFIG.recipes[wildcards.recipe].problems)


def start_of_recipe(wildcards):
    """The trained optimizer that a recipe starts from, if there is one; trials take meta-seed 0."""
    start = CONFIG.recipes[wildcards.recipe].start_from
    seed = int(wildcards.get("seed", 0))
    return [LAYOUT.run(start, seed) / "optimizer.safetensors"] if start else []


def trials_of_recipe(wildcards):
    trials = CONFIG.recipes[wildcards.recipe].meta_learning_rate.trials
    return [LAYOUT.trial(wildcards.recipe, trial) for trial in range(trials)]


def data_of_experiment(wildcards):
    return data_of(*CONFIG.experiments[wildcards.experiment].problems)


def problems_of(*names):
    """The problems of experiments."""
    return [problem for name in names for problem in experiments[name].problems]


def inputs_of_measurement(name):
    """The data sets, trained optimizers and tunings that a measurement needs."""
    settings = CONFIG.measurements.each()[name]
    recipes = dict.fromkeys(settings.trained())
    return [
        *data_of(*settings.problems_of(CONFIG)),
        *(LAYOUT.run(recipe, META_SEED) / "optimizer.safetensors" for recipe in recipes),
        *(LAYOUT.tuning(experiment) for experiment, _ in settings.tuned(CONFIG)),
    ]


def parts_of_experiment(wildcards):
    name = wildcards.experiment
    return [LAYOUT.part(name, *optimizer) for optimizer in CONFIG.tested(name)]


def tunings_elsewhere(*names):
    """The tuning tables of other experiments whose rates are tested on some."""
    others = dict.fromkeys(experiments[name].rates_of for name in names)
    return [LAYOUT.tuning(other) for other in others if other and other not in names]


def tunings_of_experiment(wildcards):
    baselines = CONFIG.experiments[wildcards.experiment].baselines
    return [LAYOUT.tuning(wildcards.experiment, baseline) for baseline in baselines]


# Resources are for a cluster. On one machine they limit nothing.
PAPER = 12  # times as long as under the other protocols


localrules:  # they run beside Snakemake: data needs the internet, the others take a second
    data,
    collect,
    runs,


def rounded(*seconds):
    """The sum of estimates as a resource, for the time left that a run shows."""
    return round(sum(seconds))


def listed(names):
    """Names for a line: the first two, and how many more there are."""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


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


def checked_release(_):
    """The table of the release. Snakemake asks for it only where something of it is needed."""
    try:
        release.check_release(CONFIG)
    except UserError as error:
        stop(error)
    return os.path.relpath(release.release_folder() / release.CONTENTS)  # a run may be moved
