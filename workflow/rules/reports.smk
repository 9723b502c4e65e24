"""Figures, executed reports, and the page that shows everything.

Each figure and each report has a rule of its own and depends only on what it shows:
snakemake --cores all mnist, snakemake --cores all mnist_report.
"""

from l2l.report.drawn import drawn

try:
    DRAWN = drawn(CONFIG, Path(".snakemake") / "drawn.json")
except OSError as error:
    stop(in_words(error))
FIGURES, REPORTS = DRAWN["figures"], DRAWN["reports"]
# On a cluster they go together, with what workflow/profiles/slurm adds to this group.
GROUP = "report" if CLUSTER else None
# For src/snakemake_logger_plugin_l2l.
NAMED = [*FIGURES, *(f"{name}_report" for name in REPORTS)]
logger.info("", extra={"event": "l2l_layout", "layout": LAYOUT, "targets": NAMED})

for figure_name, figure in FIGURES.items():

    rule:
        name:
            figure_name
        input:
            figure["inputs"],
        output:
            report(
                f"{LAYOUT.figure(figure_name)}.png",
                category="Figures",
                labels={"figure": figure["title"]},
                caption="../report/figure.rst",
            ),
            f"{LAYOUT.figure(figure_name)}.pdf",
            f"{LAYOUT.figure(figure_name)}.json",
        log:
            LOGS / "figure" / f"{figure_name}.log",
        group:
            GROUP
        conda:
            "../../environment.yml"
        params:
            config=LAYOUT.config,
            figure=figure_name,
            caption=figure["caption"],
            inputs=figure["shows"],
        message:
            f"figure {figure_name}"
        shell:
            "l2l figure {params.figure} --config-file {params.config} > {log} 2>&1"


for report_name, shown in REPORTS.items():

    rule:
        name:
            f"{report_name}_report"
        input:
            shown["inputs"],
        output:
            report(
                f"{LAYOUT.report(report_name)}.html",
                category="Reports",
                labels={"report": report_name},
                caption="../report/notebook.rst",
            ),
            f"{LAYOUT.report(report_name)}.ipynb",
        log:
            LOGS / "report" / f"{report_name}.log",
        group:
            GROUP
        conda:
            "../../environment.yml"
        params:
            config=LAYOUT.config,
            report=report_name,
            inputs=shown["shows"],
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
    conda:
        "../../environment.yml"
    params:
        config=LAYOUT.config,
        inputs=digest(  # what the page shows beyond its tables
            drawing_inputs(CONFIG)
            | {"studies": {name: study.model_dump() for name, study in CONFIG.studies.items()}}
            | {"statements": {key: claim.statement for key, claim in CONFIG.claims.items()}}
        ),
    message:
        "the page"
    shell:
        "l2l page --config-file {params.config} > {log} 2>&1"
