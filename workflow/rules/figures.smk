"""One rule for each figure, named like it: snakemake --cores all mnist."""

from l2l.figures import style_images

LOG_TABLES = [
    LAYOUT.run(recipe, seed) / "log.csv" for recipe, seed in RUNS if recipe in CONFIG.main_recipes()
]
PICTURES = [
    LAYOUT.pictures(experiment, *optimizer)
    for experiment in style_images.experiments(CONFIG)
    for optimizer in style_images.OPTIMIZERS.items()
]
FIGURES = {  # name -> the tables and pictures it is drawn from
    **{
        figure: [LAYOUT.curves(name) for name in names]
        for figure, names in CONFIG.figure_experiments().items()
    },
    **({"style_images": [*PICTURES, *map(LAYOUT.data, style_images.DATASETS)]} if PICTURES else {}),
    "mnist_continued": [LAYOUT.curves("mnist")],
    "overhead": [LAYOUT.measurement("overhead"), LAYOUT.curves("mnist")],
    "updates": [LAYOUT.measurement("updates")],
    "meta_training": LOG_TABLES,
    "optimizer_loop": [],
    "computation_graph": [],
    "coordinatewise_lstm": [],
    "hierarchical_diagram": [],
}

if "unroll" in FIGURES:
    FIGURES["unroll"].append(LAYOUT.measurement("meta_gradients"))

CAPTIONS = Path("workflow/report")

for figure, tables in FIGURES.items():
    # A figure that only a user's configuration names has a caption that fits any experiments.
    caption = figure if (CAPTIONS / f"{figure}.rst").exists() else "experiments"

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
                caption=f"../report/{caption}.rst",
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
