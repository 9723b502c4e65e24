"""The workflow lies where catalogs of workflows look for it."""


include: "workflow/Snakefile"


workflow.default_target = "all"  # of an included file Snakemake takes none
