"""One rule for each figure, named like it: snakemake --cores all mnist."""

LOG_TABLES = [LAYOUT.run(recipe, seed) / "log.csv" for recipe in RECIPES for seed in SEEDS]
FIGURES = {  # name -> the tables it is drawn from
    "quadratics": [LAYOUT.curves("quadratics")],
    "mnist": [LAYOUT.curves("mnist")],
    "mnist_continued": [LAYOUT.curves("mnist")],
    "meta_training": LOG_TABLES,
    "optimizer_loop": [],
    "computation_graph": [],
    "coordinatewise_lstm": [],
}

for figure, tables in FIGURES.items():

    rule:
        name:
            figure
        input:
            tables,
        output:
            report(
                f"{LAYOUT.figure(figure)}.png",
                category="Figures",
                labels={"figure": figure},
                caption=f"../report/{figure}.rst",
            ),
            f"{LAYOUT.figure(figure)}.pdf",
        log:
            LOGS / "figure" / f"{figure}.log",
        benchmark:
            BENCHMARKS / "figure" / f"{figure}.tsv"
        conda:
            "../../environment.yml"
        params:
            config=LAYOUT.config,
            figure=figure,
            inputs=digest(drawing_inputs(CONFIG)),
        shell:
            "l2l figure {params.figure} --config-file {params.config} 2>&1 | tee {log}"
