"""Longer experiments: the tuning of each baseline and the test of each optimizer are jobs."""


rule tune:
    input:
        data_of_experiment,
    output:
        RESULTS / "tuning" / "{experiment}" / "{baseline}.csv",
    log:
        LOGS / "tune" / "{experiment}.{baseline}.log",
    wildcard_constraints:
        experiment=any_of(TUNED),
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=minutes(10),
        mem_mb=memory,
        gpu=gpus("tune"),
        seconds=lambda wildcards: rounded(
            tuning_seconds(CONFIG, wildcards.experiment, wildcards.baseline)
        ),
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(
            tuning_inputs(CONFIG, wildcards.experiment, wildcards.baseline)
        ),
    message:
        "tuning of {wildcards.baseline} on {wildcards.experiment}"
    shell:
        "l2l tune {wildcards.experiment} {wildcards.baseline}"
        " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"


rule evaluate_baseline:
    input:
        data_of_experiment,
        lambda wildcards: tunings_elsewhere(wildcards.experiment),
        lambda wildcards: LAYOUT.tuning(wildcards.experiment, wildcards.baseline),
    output:
        RESULTS / "evaluation" / "{experiment}" / "parts" / "{baseline}.parquet",
    log:
        LOGS / "evaluate" / "{experiment}.{baseline}.log",
    wildcard_constraints:
        experiment=any_of([name for name in TESTED_ALONE if name not in WITH_PICTURES]),
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=minutes(10),
        mem_mb=memory,
        gpu=gpus("evaluate"),
        seconds=lambda wildcards: rounded(evaluation_seconds(CONFIG, wildcards.experiment)),
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(evaluation_inputs(CONFIG, wildcards.experiment)),
    message:
        "test of {wildcards.baseline} on {wildcards.experiment}"
    shell:
        "l2l evaluate {wildcards.experiment} {wildcards.baseline}"
        " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"


rule evaluate_learned:
    input:
        data_of_experiment,
        lambda wildcards: LAYOUT.run(wildcards.recipe, wildcards.seed) / "optimizer.safetensors",
    output:
        RESULTS / "evaluation" / "{experiment}" / "parts" / "{recipe}.seed{seed}.parquet",
    log:
        LOGS / "evaluate" / "{experiment}.{recipe}.{seed}.log",
    wildcard_constraints:
        experiment=any_of([name for name in TESTED_ALONE if name not in WITH_PICTURES]),
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=minutes(10),
        mem_mb=memory,
        gpu=gpus("evaluate"),
        seconds=lambda wildcards: rounded(evaluation_seconds(CONFIG, wildcards.experiment)),
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(evaluation_inputs(CONFIG, wildcards.experiment)),
    message:
        "test of {wildcards.recipe}, seed {wildcards.seed}, on {wildcards.experiment}"
    shell:
        "l2l evaluate {wildcards.experiment} {wildcards.recipe} --seed {wildcards.seed}"
        " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"


# Experiments whose theta is a picture keep the first ones.
use rule evaluate_baseline as evaluate_baseline_pictures with:
    output:
        multiext(
            f"{RESULTS}/evaluation/{{experiment}}/parts/{{baseline}}",
            ".parquet",
            ".pictures.safetensors",
        ),
    wildcard_constraints:
        experiment=any_of([name for name in TESTED_ALONE if name in WITH_PICTURES]),


use rule evaluate_learned as evaluate_learned_pictures with:
    output:
        multiext(
            f"{RESULTS}/evaluation/{{experiment}}/parts/{{recipe}}.seed{{seed}}",
            ".parquet",
            ".pictures.safetensors",
        ),
    wildcard_constraints:
        experiment=any_of([name for name in TESTED_ALONE if name in WITH_PICTURES]),
