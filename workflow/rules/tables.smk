"""What a run needs whether it trains or takes released optimizers: data sets, measurements, tables, verdicts."""


# Fetched and verified once. Every job verifies again what it loads.
rule data:
    output:
        RESULTS / "data" / "{dataset}.json",
    log:
        LOGS / "data" / "{dataset}.log",
    wildcard_constraints:
        dataset="[a-z0-9_]+",
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    message:
        "data set {wildcards.dataset}"
    shell:
        "l2l data {wildcards.dataset} --config-file {params.config} > {log} 2>&1"


# What takes times takes all cores, so that nothing else runs meanwhile. It computes with
# compute.threads of them, like every job.
for name, settings in CONFIG.measurements.each().items():

    rule:
        name:
            f"measure_{name}"
        input:
            inputs_of_measurement(name),
        output:
            LAYOUT.measurement(name),
        log:
            LOGS / "measure" / f"{name}.log",
        conda:
            "../../environment.yml"
        threads: workflow.cores if settings.alone else CONFIG.compute.threads
        resources:
            runtime=minutes(30),
            mem_mb=memory,
            gpu=gpus("measure"),
        params:
            config=LAYOUT.config,
            name=name,
            threads=lambda wildcards, threads: min(threads, CONFIG.compute.threads),
            inputs=digest(measurement_inputs(CONFIG, name)),
        message:
            f"measurement of {name.replace('_', ' ')}"
        shell:
            "l2l measure {params.name}"
            " --config-file {params.config} --set compute.threads={params.threads} > {log} 2>&1"


rule runs:
    input:
        [
            run / file
            for runs in RUNS.values()
            for run in runs
            for file in ("log.csv", "summary.json")
        ],
    output:
        report(
            LAYOUT.runs,
            category="Tables",
            labels={"table": "meta-trainings"},
            caption="../report/runs.rst",
        ),
    log:
        LOGS / "runs.log",
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    message:
        "table of the meta-trainings"
    shell:
        "l2l runs --config-file {params.config} > {log} 2>&1"


for study, names in TESTED_TOGETHER.items():
    optimizers = [(name, *one) for name in names for one in CONFIG.tested(name)]

    rule:
        name:
            f"test_{study}"
        input:
            data_of(*problems_of(*names)),
            [
                LAYOUT.run(*run) / "optimizer.safetensors"
                for _, *run in optimizers
                if run[1] is not None
            ],
            [
                LAYOUT.tuning(name, baseline)
                for name, baseline, seed in optimizers
                if seed is None and name not in TUNED
            ],
            tunings_elsewhere(*names),
        output:
            [LAYOUT.curves(name) for name in names],
            [LAYOUT.pictures(*one) for one in optimizers if one[0] in WITH_PICTURES],
            [
                report(
                    LAYOUT.tuning(name),
                    category="Tables",
                    labels={"table": f"tuning, {name}"},
                    caption="../report/tuning.rst",
                )
                for name in names
            ],
        log:
            LOGS / "test" / f"{study}.log",
        conda:
            "../../environment.yml"
        threads: CONFIG.compute.threads
        resources:
            runtime=minutes(30),
            mem_mb=memory,
            gpu=max(gpus("tune"), gpus("evaluate")),
            seconds=rounded(*(test_seconds(CONFIG, name) for name in names)),
        params:
            config=LAYOUT.config,
            names=names,
            inputs=[
                *(digest(evaluation_inputs(CONFIG, name)) for name in names),
                *(
                    digest(tuning_inputs(CONFIG, name, baseline))
                    for name, baseline, seed in optimizers
                    if seed is None
                ),
            ],
        message:
            f"test of {listed(names)}"
        shell:
            "l2l test {params.names}"
            " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"


rule collect:
    input:
        parts_of_experiment,
        tunings_of_experiment,
    output:
        curves=RESULTS / "evaluation" / "{experiment}" / "curves.parquet",
        tuning=report(
            RESULTS / "tuning" / "{experiment}.csv",
            category="Tables",
            labels={"table": "tuning, {experiment}"},
            caption="../report/tuning.rst",
        ),
    log:
        LOGS / "collect" / "{experiment}.log",
    wildcard_constraints:
        experiment=any_of(TESTED_ALONE),
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    message:
        "tables of {wildcards.experiment}"
    shell:
        "l2l collect {wildcards.experiment} --config-file {params.config} > {log} 2>&1"


rule claims:
    input:
        [LAYOUT.curves(name) for name in EXPERIMENTS],
        [LAYOUT.tuning(name) for name in EXPERIMENTS],
        [
            run / file
            for runs in RUNS.values()
            for run in runs
            for file in ("log.csv", "summary.json")
        ],
        [LAYOUT.measurement(name) for name in MEASURED],
        data_of(*problems_of(*EXPERIMENTS)),
    output:
        report(
            LAYOUT.claims,
            category="Tables",
            labels={"table": "claims"},
            caption="../report/claims.rst",
        ),
    log:
        LOGS / "claims.log",
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=digest(claim_inputs(CONFIG)),
    message:
        "verdicts on the claims"
    shell:
        "l2l claims --config-file {params.config} > {log} 2>&1"
