"""Data sets: fetched and verified once. Every job verifies again what it loads."""


rule data:
    output:
        RESULTS / "data" / "{dataset}.json",
    log:
        LOGS / "data" / "{dataset}.log",
    benchmark:
        BENCHMARKS / "data" / "{dataset}.tsv"
    wildcard_constraints:
        dataset="[a-z0-9_]+",
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    shell:
        "l2l data {wildcards.dataset} --config-file {params.config} 2>&1 | tee {log}"
