"""What is measured besides losses: the cost of a step, proposed updates, meta-gradients."""

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
