"""What a run needs whether it trains or takes released optimizers: data sets, measurements, tables, verdicts."""


# Fetched and verified once. Every job verifies again what it loads.
rule data:
    output:
        RESULTS / "data" / "{dataset}.json",
    log:
        LOGS / "data" / "{dataset}.log",
    benchmark:
        BENCHMARKS / "data" / "{dataset}.tsv"
    wildcard_constraints:
        dataset="[a-z0-9_]+",
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    shell:
        "l2l data {wildcards.dataset} --config-file {params.config} 2>&1 | tee {log}"


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
        benchmark:
            BENCHMARKS / "measure" / f"{name}.tsv"
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
        shell:
            "l2l measure {params.name}"
            " --config-file {params.config} --set compute.threads={params.threads} 2>&1 | tee {log}"


rule runs:
    input:
        [LAYOUT.run(recipe, seed) / "summary.json" for recipe, seed in RUNS],
    output:
        report(
            LAYOUT.runs,
            category="Tables",
            labels={"table": "meta-trainings"},
            caption="../report/runs.rst",
        ),
    log:
        LOGS / "runs.log",
    benchmark:
        BENCHMARKS / "runs.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    shell:
        "l2l runs --config-file {params.config} 2>&1 | tee {log}"


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
    benchmark:
        BENCHMARKS / "collect" / "{experiment}.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    shell:
        "l2l collect {wildcards.experiment} --config-file {params.config} 2>&1 | tee {log}"


rule claims:
    input:
        [LAYOUT.curves(name) for name in EXPERIMENTS],
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
    benchmark:
        BENCHMARKS / "claims.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=digest(claim_inputs(CONFIG)),
    shell:
        "l2l claims --config-file {params.config} 2>&1 | tee {log}"
