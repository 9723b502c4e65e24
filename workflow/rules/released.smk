"""Released optimizers and tuned rates in the place of meta-training and tuning (`origin: released`)."""


localrules:
    take,


rule take:
    input:
        checked_release,
    output:
        [file for part in TAKEN for file in part.files],
    log:
        LOGS / "take.log",
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    message:
        "released optimizers"
    shell:
        "l2l take --config-file {params.config} > {log} 2>&1"
