"""What is measured besides losses: the cost of a step, proposed updates, meta-gradients."""


# It takes all cores, so that nothing else runs while it takes times; it computes with
# compute.threads of them, as every job.
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


rule measure_updates:
    input:
        inputs_of_measurement("updates"),
    output:
        LAYOUT.measurement("updates"),
    log:
        LOGS / "measure" / "updates.log",
    benchmark:
        BENCHMARKS / "measure" / "updates.tsv"
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=minutes(30),
        mem_mb=memory,
        gpu=gpus("measure"),
    params:
        config=LAYOUT.config,
        inputs=digest(measurement_inputs(CONFIG, "updates")),
    shell:
        "l2l measure updates"
        " --config-file {params.config} --set compute.threads={threads} 2>&1 | tee {log}"


rule measure_meta_gradients:
    input:
        inputs_of_measurement("meta_gradients"),
    output:
        LAYOUT.measurement("meta_gradients"),
    log:
        LOGS / "measure" / "meta_gradients.log",
    benchmark:
        BENCHMARKS / "measure" / "meta_gradients.tsv"
    conda:
        "../../environment.yml"
    threads: CONFIG.compute.threads
    resources:
        runtime=minutes(30),
        mem_mb=memory,
        gpu=gpus("measure"),
    params:
        config=LAYOUT.config,
        inputs=digest(measurement_inputs(CONFIG, "meta_gradients")),
    shell:
        "l2l measure meta-gradients"
        " --config-file {params.config} --set compute.threads={threads} 2>&1 | tee {log}"
