"""Tuning of the baselines, tests of every optimizer, and the verdicts on the claims."""


def data_of_experiment(wildcards):
    return data_of(CONFIG.experiments[wildcards.experiment].problem)


def parts_of_experiment(wildcards):
    experiment = CONFIG.experiments[wildcards.experiment]
    baselines = [(baseline, None) for baseline in experiment.baselines]
    learned = [(recipe, seed) for recipe in experiment.learned for seed in SEEDS]
    return [LAYOUT.part(wildcards.experiment, *optimizer) for optimizer in baselines + learned]


def tunings_of_experiment(wildcards):
    baselines = CONFIG.experiments[wildcards.experiment].baselines
    return [LAYOUT.tuning(wildcards.experiment, baseline) for baseline in baselines]


rule tune:
    input:
        data_of_experiment,
    output:
        RESULTS / "tuning" / "{experiment}" / "{baseline}.csv",
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(
            tuning_inputs(CONFIG, wildcards.experiment, wildcards.baseline)
        ),
    log:
        LOGS / "tune" / "{experiment}.{baseline}.log",
    benchmark:
        BENCHMARKS / "tune" / "{experiment}.{baseline}.tsv"
    threads: CONFIG.compute.threads
    conda:
        "../../environment.yml"
    shell:
        "l2l tune {wildcards.experiment} {wildcards.baseline}"
        " --config-file {params.config} 2>&1 | tee {log}"


rule evaluate_baseline:
    input:
        data_of_experiment,
        tuned=rules.tune.output,
    output:
        RESULTS / "evaluation" / "{experiment}" / "parts" / "{baseline}.parquet",
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(evaluation_inputs(CONFIG, wildcards.experiment)),
    log:
        LOGS / "evaluate" / "{experiment}.{baseline}.log",
    benchmark:
        BENCHMARKS / "evaluate" / "{experiment}.{baseline}.tsv"
    threads: CONFIG.compute.threads
    conda:
        "../../environment.yml"
    shell:
        "l2l evaluate {wildcards.experiment} {wildcards.baseline}"
        " --config-file {params.config} 2>&1 | tee {log}"


rule evaluate_learned:
    input:
        data_of_experiment,
        optimizer=rules.train.output.optimizer,
    output:
        RESULTS / "evaluation" / "{experiment}" / "parts" / "{recipe}.seed{seed}.parquet",
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(evaluation_inputs(CONFIG, wildcards.experiment)),
    log:
        LOGS / "evaluate" / "{experiment}.{recipe}.{seed}.log",
    benchmark:
        BENCHMARKS / "evaluate" / "{experiment}.{recipe}.{seed}.tsv"
    threads: CONFIG.compute.threads
    conda:
        "../../environment.yml"
    shell:
        "l2l evaluate {wildcards.experiment} {wildcards.recipe} --seed {wildcards.seed}"
        " --config-file {params.config} 2>&1 | tee {log}"


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
    params:
        config=LAYOUT.config,
    log:
        LOGS / "collect" / "{experiment}.log",
    benchmark:
        BENCHMARKS / "collect" / "{experiment}.tsv"
    conda:
        "../../environment.yml"
    shell:
        "l2l collect {wildcards.experiment} --config-file {params.config} 2>&1 | tee {log}"


rule claims:
    input:
        CLAIMS,
        [LAYOUT.curves(name) for name in EXPERIMENTS],
        [record for name in EXPERIMENTS for record in data_of(CONFIG.experiments[name].problem)],
    output:
        report(
            LAYOUT.claims,
            category="Tables",
            labels={"table": "claims"},
            caption="../report/claims.rst",
        ),
    params:
        config=LAYOUT.config,
    log:
        LOGS / "claims.log",
    benchmark:
        BENCHMARKS / "claims.tsv"
    conda:
        "../../environment.yml"
    shell:
        "l2l claims --config-file {params.config} 2>&1 | tee {log}"
