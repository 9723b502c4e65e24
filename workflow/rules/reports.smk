"""Executed reports, and the page that shows everything."""

FIGURE_FILES = [f"{LAYOUT.figure(figure)}.png" for figure in FIGURES]
REPORTS = [  # figures of experiments and of measurements that have a template
    name for name in FIGURES if Path(f"workflow/notebooks/{name}.py").exists()
]
TUNINGS = [LAYOUT.tuning(name) for name in EXPERIMENTS]


rule notebook:
    input:
        "workflow/notebooks/{figure}.py",
        FIGURE_FILES,
        LOG_TABLES,
        TUNINGS,
        LAYOUT.runs,
        LAYOUT.claims,
    output:
        RESULTS / "reports" / "{figure}.ipynb",
        report(
            RESULTS / "reports" / "{figure}.html",
            category="Reports",
            labels={"report": "{figure}"},
            caption="../report/notebook.rst",
        ),
    log:
        LOGS / "report" / "{figure}.log",
    benchmark:
        BENCHMARKS / "report" / "{figure}.tsv"
    wildcard_constraints:
        figure="|".join(REPORTS),
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=digest(drawing_inputs(CONFIG)),
    shell:
        "l2l report {wildcards.figure} --config-file {params.config} 2>&1 | tee {log}"


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
