"""Released optimizers and tuned rates in the place of meta-training and tuning (`origin: released`)."""


def checked_release(_):
    """The table of the release. Snakemake asks for it only where something of it is needed."""
    try:
        release.check_release(CONFIG)
    except UserError as error:
        stop(error)
    return os.path.relpath(release.release_folder() / release.CONTENTS)  # a run may be moved


localrules:
    take,


rule take:
    input:
        checked_release,
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
