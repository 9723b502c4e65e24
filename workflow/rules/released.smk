"""Tests of the released optimizers, without meta-training and tuning (`optimizers: released`).

One job tests a whole experiment: to start Python for each optimizer would take longer than the tests.
"""

from l2l import release

try:
    release.check_release(CONFIG)
except UserError as error:
    stop(error)


localrules:
    take,


rule take:
    input:
        os.path.relpath(release.release_folder() / release.CONTENTS),  # so that a run may be moved
    output:
        [file for part in release.parts(CONFIG) for file in part.files],
    log:
        LOGS / "take.log",
    benchmark:
        BENCHMARKS / "take.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    shell:
        "l2l take --config-file {params.config} 2>&1 | tee {log}"


for name in EXPERIMENTS:
    tested = CONFIG.tested(name)
    learned = [(recipe, seed) for recipe, seed in tested if seed is not None]

    rule:
        name:
            f"test_{name}"
        input:
            data_of(*problems_of(name)),
            [LAYOUT.tuning(name, baseline) for baseline, seed in tested if seed is None],
            [LAYOUT.run(*run) / "optimizer.safetensors" for run in learned],
        output:
            [LAYOUT.part(name, *optimizer) for optimizer in tested],
            [LAYOUT.pictures(name, *one) for one in tested if name in WITH_PICTURES],
        log:
            LOGS / "evaluate" / f"{name}.log",
        benchmark:
            BENCHMARKS / "evaluate" / f"{name}.tsv"
        conda:
            "../../environment.yml"
        threads: CONFIG.compute.threads
        resources:
            runtime=minutes(30),
            mem_mb=memory,
            gpu=gpus("evaluate"),
        params:
            config=LAYOUT.config,
            experiment=name,
            inputs=digest(evaluation_inputs(CONFIG, name)),
        shell:
            "l2l evaluate {params.experiment}"
            " --config-file {params.config} --set compute.threads={threads} 2>&1 | tee {log}"
