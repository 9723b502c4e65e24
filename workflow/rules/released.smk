"""Released optimizers and tuned rates in the place of meta-training and tuning (`origin: released`)."""

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
        [file for part in TAKEN for file in part.files],
    log:
        LOGS / "take.log",
    benchmark:
        BENCHMARKS / "take.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
    message:
        "released optimizers"
    shell:
        "l2l take --config-file {params.config} > {log} 2>&1"
