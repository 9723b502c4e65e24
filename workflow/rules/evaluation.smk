"""The tables of all meta-trainings and tests, and the verdicts on the claims."""


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
