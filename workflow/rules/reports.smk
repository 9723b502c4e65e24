"""Figures, executed reports, and the page that shows everything.

Each figure and each report has a rule of its own and depends only on what it shows:
snakemake --cores all mnist, snakemake --cores all mnist_report.
"""

from l2l.figures.base import figures
from l2l.report.notebook import inputs, reports

FIGURES = figures(CONFIG)

for figure in FIGURES.values():

    rule:
        name:
            figure.name
        input:
            figure.inputs(CONFIG, LAYOUT),
        output:
            report(
                f"{LAYOUT.figure(figure.name)}.png",
                category="Figures",
                labels={"figure": figure.title},
                caption="../report/figure.rst",
            ),
            f"{LAYOUT.figure(figure.name)}.pdf",
        log:
            LOGS / "figure" / f"{figure.name}.log",
        benchmark:
            BENCHMARKS / "figure" / f"{figure.name}.tsv"
        conda:
            "../../environment.yml"
        params:
            config=LAYOUT.config,
            figure=figure.name,
            caption=figure.caption,
            inputs=digest(drawing_inputs(CONFIG)),
        message:
            f"figure {figure.name}"
        shell:
            "l2l figure {params.figure} --config-file {params.config} > {log} 2>&1"


REPORTS = reports(CONFIG)
SHOWN = digest(  # what reports and the page show beyond their tables
    drawing_inputs(CONFIG)
    | {"studies": {name: study.model_dump() for name, study in CONFIG.studies.items()}}
    | {"statements": {key: claim.statement for key, claim in CONFIG.claims.items()}}
)


for report_name in REPORTS:

    rule:
        name:
            f"{report_name}_report"
        input:
            inputs(report_name, CONFIG),
        output:
            f"{LAYOUT.report(report_name)}.ipynb",
            report(
                f"{LAYOUT.report(report_name)}.html",
                category="Reports",
                labels={"report": report_name},
                caption="../report/notebook.rst",
            ),
        log:
            LOGS / "report" / f"{report_name}.log",
        benchmark:
            BENCHMARKS / "report" / f"{report_name}.tsv"
        conda:
            "../../environment.yml"
        params:
            config=LAYOUT.config,
            report=report_name,
            inputs=SHOWN,
        message:
            f"report {report_name}"
        shell:
            "l2l report {params.report} --config-file {params.config} > {log} 2>&1"


rule page:
    input:
        [f"{LAYOUT.figure(figure)}.png" for figure in FIGURES],
        [LAYOUT.tuning(name) for name in EXPERIMENTS],
        [f"{LAYOUT.report(name)}.html" for name in REPORTS],
        LAYOUT.runs,
        LAYOUT.claims,
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
        inputs=SHOWN,
    message:
        "the page"
    shell:
        "l2l page --config-file {params.config} > {log} 2>&1"
