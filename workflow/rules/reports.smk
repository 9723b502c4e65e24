"""Executed reports, and the page that shows everything."""

FIGURE_FILES = [f"{LAYOUT.figure(figure)}.png" for figure in FIGURES]
REPORTS = [name for name in EXPERIMENTS if Path(f"workflow/notebooks/{name}.py").exists()]
TUNINGS = [LAYOUT.tuning(name) for name in EXPERIMENTS]


rule notebook:
    input:
        "workflow/notebooks/{experiment}.py",
        FIGURE_FILES,
        LOG_TABLES,
        TUNINGS,
        LAYOUT.runs,
        LAYOUT.claims,
    output:
        RESULTS / "reports" / "{experiment}.ipynb",
        report(
            RESULTS / "reports" / "{experiment}.html",
            category="Reports",
            labels={"report": "{experiment}"},
            caption="../report/notebook.rst",
        ),
    log:
        LOGS / "report" / "{experiment}.log",
    benchmark:
        BENCHMARKS / "report" / "{experiment}.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=digest(drawing_inputs(CONFIG)),
    shell:
        "l2l report {wildcards.experiment} --config-file {params.config} 2>&1 | tee {log}"


rule page:
    input:
        FIGURE_FILES,
        TUNINGS,
        LAYOUT.runs,
        LAYOUT.claims,
        [f"{LAYOUT.report(name)}.html" for name in REPORTS],
    output:
        LAYOUT.page,
    log:
        LOGS / "page.log",
    benchmark:
        BENCHMARKS / "page.tsv"
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=digest(drawing_inputs(CONFIG)),
    shell:
        "l2l page --config-file {params.config} 2>&1 | tee {log}"
