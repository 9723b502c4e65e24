"""One rule for each figure, named like it: snakemake --cores all mnist."""

from l2l.figures.catalog import figures

FIGURES = figures(CONFIG)
LOG_TABLES = [
    LAYOUT.run(recipe, seed) / "log.csv" for recipe, seed in RUNS if recipe in CONFIG.main_recipes()
]

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
        shell:
            "l2l figure {params.figure} --config-file {params.config} 2>&1 | tee {log}"
