"""Datasets: fetched and verified once; every job verifies again what it loads."""


rule data:
    output:
        RESULTS / "data" / "{dataset}.json",
    params:
        config=LAYOUT.config,
    log:
        LOGS / "data" / "{dataset}.log",
    benchmark:
        BENCHMARKS / "data" / "{dataset}.tsv"
    conda:
        "l2l"
    shell:
        "l2l data {wildcards.dataset} --config-file {params.config} 2>&1 | tee {log}"
