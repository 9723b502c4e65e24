"""The workflow lies where catalogs of workflows look for it."""


include: "workflow/Snakefile"
