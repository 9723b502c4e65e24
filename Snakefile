"""From data to every figure of the paper: snakemake --cores all [figure] [--config protocol=smoke]."""

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


if TAKEN:

    include: "workflow/rules/released.smk"


include: "workflow/rules/training.smk"
include: "workflow/rules/testing.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/reports.smk"


rule all:
    default_target: True
    input:
        LAYOUT.page,
