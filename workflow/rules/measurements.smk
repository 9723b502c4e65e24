"""What is measured besides losses: the cost of a step, proposed updates, meta-gradients."""


# It takes all cores, so that nothing else runs while it takes times. It computes with
# compute.threads of them, like every job.
rule measure_overhead:
    input:
        inputs_of_measurement("overhead"),
    output:
        LAYOUT.measurement("overhead"),
    log:
        LOGS / "measure" / "overhead.log",
    benchmark:
        BENCHMARKS / "measure" / "overhead.tsv"
    conda:
        "../../environment.yml"
    threads: workflow.cores
    resources:
        runtime=minutes(30),
        mem_mb=memory,
        gpu=gpus("measure"),
    params:
        config=LAYOUT.config,
        inputs=digest(measurement_inputs(CONFIG, "overhead")),
    shell:
        "l2l measure overhead --config-file {params.config} 2>&1 | tee {log}"


for name in CONFIG.measurements.each():
    if name == "overhead":
        continue

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
        threads: CONFIG.compute.threads
        resources:
            runtime=minutes(30),
            mem_mb=memory,
            gpu=gpus("measure"),
        params:
            config=LAYOUT.config,
            name=name,
            inputs=digest(measurement_inputs(CONFIG, name)),
        shell:
            "l2l measure {params.name}"
            " --config-file {params.config} --set compute.threads={threads} 2>&1 | tee {log}"
