"""Datasets: fetched and verified once; every job verifies again what it loads."""


rule data:
    wildcard_constraints:
        dataset="[a-z0-9_]+",
    output:
        RESULTS / "data" / "{dataset}.json",
    params:
        config=LAYOUT.config,
    log:
        LOGS / "data" / "{dataset}.log",
    benchmark:
        BENCHMARKS / "data" / "{dataset}.tsv"
    conda:
        "../../environment.yml"
    shell:
        "l2l data {wildcards.dataset} --config-file {params.config} 2>&1 | tee {log}"
