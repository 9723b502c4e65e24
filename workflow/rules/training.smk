"""Meta-training: random search of the meta learning rate, then every meta-seed of every recipe."""

for study, recipes in TRAINED_TOGETHER.items():

    rule:
        name:
            f"train_{study}"
        input:
            [file for name in recipes for file in data_of(*CONFIG.recipes[name].problems)],
            [
                LAYOUT.run(CONFIG.recipes[name].start_from, seed) / "optimizer.safetensors"
                for name in recipes
                if CONFIG.recipes[name].start_from
                for seed in range(CONFIG.recipes[name].meta_seeds)
            ],
        output:
            [LAYOUT.rate(name) for name in recipes],
            [run / file for name in recipes for run in RUNS[name] for file in release.RUN],
        log:
            LOGS / "train" / f"{study}.log",
        priority: 10
        conda:
            "../../environment.yml"
        threads: CONFIG.compute.threads
        resources:
            runtime=resumed_minutes(30),
            mem_mb=memory,
            gpu=gpus("train"),
            seconds=rounded(*(training_seconds(CONFIG, name) for name in recipes)),
        params:
            config=LAYOUT.config,
            recipes=recipes,
            inputs=[
                digest(inputs(CONFIG, name))
                for name in recipes
                for inputs in (training_inputs, trial_inputs)
            ],
        message:
            f"meta-training of {listed(recipes)}"
        shell:
            "l2l train {params.recipes}"
            " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"


localrules:
    choose_rate,


rule trial:
    input:
        data_of_recipe,
        start_of_recipe,
    output:
        RESULTS / "training" / "{recipe}" / "search" / "trial{trial}.json",
    log:
        LOGS / "trial" / "{recipe}.{trial}.log",
    wildcard_constraints:
        recipe=any_of(TRAINED_ALONE),
    priority: 20
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=minutes(5),
        mem_mb=memory,
        gpu=gpus("train"),
        seconds=lambda wildcards: rounded(trial_seconds(CONFIG, wildcards.recipe)),
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(trial_inputs(CONFIG, wildcards.recipe)),
    message:
        "trial {wildcards.trial} of {wildcards.recipe}"
    shell:
        "l2l trial {wildcards.recipe} {wildcards.trial}"
        " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"


rule choose_rate:
    input:
        trials_of_recipe,
    output:
        RESULTS / "training" / "{recipe}" / "meta_learning_rate.json",
    log:
        LOGS / "choose_rate" / "{recipe}.log",
    wildcard_constraints:
        recipe=any_of(TRAINED_ALONE),
    priority: 20
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(
            CONFIG.recipes[wildcards.recipe].meta_learning_rate.model_dump(mode="json")
        ),
    message:
        "meta learning rate of {wildcards.recipe}"
    shell:
        "l2l choose-rate {wildcards.recipe} --config-file {params.config} > {log} 2>&1"


rule train:
    input:
        data_of_recipe,
        start_of_recipe,
        rate=rules.choose_rate.output,
    output:
        multiext(
            f"{RESULTS}/training/{{recipe}}/seed{{seed}}/",
            optimizer="optimizer.safetensors",
            log="log.csv",
            summary="summary.json",
        ),
    log:
        LOGS / "train" / "{recipe}.{seed}.log",
    wildcard_constraints:
        recipe=any_of(TRAINED_ALONE),
    priority: 10
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=resumed_minutes(60),
        mem_mb=memory,
        gpu=gpus("train"),
        seconds=lambda wildcards: rounded(seed_seconds(CONFIG, wildcards.recipe)),
    params:
        config=LAYOUT.config,
        inputs=lambda wildcards: digest(training_inputs(CONFIG, wildcards.recipe)),
    message:
        "meta-training of {wildcards.recipe}, seed {wildcards.seed}"
    shell:
        "l2l train {wildcards.recipe} --seed {wildcards.seed}"
        " --config-file {params.config} --set compute.threads={threads} > {log} 2>&1"
