"""Every figure at print size: no small print, nothing cut off, no text on text."""

import itertools

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.figures.fake_pictures import discs, waves
from tests.figures.fake_results import fake
from tests.figures.fake_tables import (
    BASELINES,
    make_curves,
    make_log,
    make_meta_gradients,
    make_overhead,
    make_updates,
    make_variant,
)

from l2l.config import Config, load_config
from l2l.config.schema import FigureSettings
from l2l.figures import experiments, meta_training, style_images, unroll
from l2l.figures.catalog import figures
from l2l.figures.style import look_of

ON_MNIST = [*BASELINES, "mnist_paper", "mnist_long_unroll"]
CURVES = {  # panels: the learned optimizers, what diverges, how many steps
    "quadratics": [(["quadratics_lstm"], {}, 100)],
    "mnist": [(["mnist_paper", "mnist_long_unroll"], {}, 100)],
    "mnist_transfer": [
        (["mnist_paper", "mnist_long_unroll"], diverging, 100)
        for diverging in ({}, {"mnist_paper": 0.05, "mnist_long_unroll": 0.08}, {}, {"nag": 0.4})
    ],
    "cifar": [
        (["cifar", "cifar_shared"], {}, 1000),
        (["cifar", "cifar5_sub"], {"cifar": 0.02}, 1000),
        (["cifar", "cifar2_sub"], {}, 1000),
    ],
    "style_curves": [(["neural_art_scratch", "mnist_long_unroll", "neural_art"], {}, 128)] * 2,
    "ten_optimizers": [([f"recipe_{k}" for k in range(6)], {}, 1000)] * 2,
}
OTHERS = [
    "style_images",
    "mnist_continued",
    "meta_training",
    "meta_training_of_all",
    "architecture",
    "overhead",
    "updates",
    "ablations",
    "unroll",
    "optimizer_loop",
    "computation_graph",
    "coordinatewise_lstm",
    "hierarchical_diagram",
]


@pytest.fixture(params=[*CURVES, *OTHERS])
def figure(request: pytest.FixtureRequest, labels: dict, style: FigureSettings) -> Figure:
    with look_of(style):
        return drawn(request.param, labels, style)


def drawn(name: str, labels: dict, style: FigureSettings) -> Figure:
    config = load_config()
    if name in CURVES:
        panels = [
            experiments.Panel(
                "A panel",
                make_curves([*BASELINES, *learned], 3, steps, ("mnist",), 25, diverging),
                "test_loss",
                steps,
                "held-out loss",
            )
            for learned, diverging, steps in CURVES[name]
        ]
        return experiments.draw_panels(panels, config.labels(), style)
    if name == "style_images":
        styled = {"LSTM (continued)": discs(3, 64), "ADAM": discs(3, 64)}
        titles = ("Training style, 64 x 64", "New styles, 128 x 128")
        groups = [
            style_images.Group(title, "after 128 steps", discs(3, 64), styled, waves(3, 64))
            for title in titles
        ]
        records = [{"name": key, "stand_in": text} for key, text in style_images.FREE.items()]
        return style_images.draw_groups(groups, style_images.notes(records), style)
    if name == "ablations":
        return experiments.draw_variants(compared(config), config.labels(), style)
    if name == "unroll":
        measured = config.measurements.meta_gradients
        stages = {key: stage.title for key, stage in measured.stages.items()}
        sources = {key: source.title for key, source in measured.estimators.items()}
        table = make_meta_gradients(stages, sources, measured.windows)
        quality = [
            unroll.Quality(
                title,
                {window: make_variant(f"w{window}", 1 + 5 / window) for window in windows},
                20,
                make_variant("growing", 0.8),
            )
            for title, windows in (("Quadratics", (1, 2, 5, 10, 50, 100)), ("MNIST", (1, 5, 100)))
        ]
        return unroll.draw_windows(table, stages, sources, quality, style)
    if name.startswith("meta_training"):
        labels = config.labels() if name.endswith("of_all") else labels
        logs = [make_log(key, seed) for k, key in enumerate(labels) for seed in range(2 + k % 2)]
        return meta_training.draw_logs(pd.concat(logs), labels, style)
    networks = config.experiments["architecture"].problems
    recipes = {"mnist": ("mnist_paper", "mnist_long_unroll"), "cifar10": ("cifar",)}
    horizon = config.experiments["architecture"].horizon
    results = fake(
        mnist=make_curves(ON_MNIST, 8),
        architecture=make_curves(ON_MNIST, 3, horizon, networks, 0, {"mnist_paper": 0.03}),
        overhead=make_overhead(),
        updates=make_updates(recipes, (1, 5, 20, 50, 100)),
    )
    return figures(config)[name].draw(results)


def compared(config: Config) -> list[experiments.Variants]:
    """The panels of the figure `ablations`, with losses from equal to far beyond the edge."""
    panels = []
    for name in config.figure_experiments()["ablations"]:
        experiment = config.experiments[name]
        others = [key for key in experiment.learned if key != experiment.reference]
        made = [
            make_variant(key, 0.7 * 1.5**k, seeds=1 + 2 * (k % 2)) for k, key in enumerate(others)
        ]
        made += [make_variant(key, 200, seeds=0) for key in experiment.baselines]
        panels.append(experiments.Variants(experiment.title, str(experiment.reference), made))
    return panels


def visible_texts(figure: Figure) -> list[Text]:
    figure.draw_without_rendering()
    ticks = {
        id(tick.label1)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not low_to_high(axis.get_view_interval(), tick.get_loc())
    }
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in ticks
        and (text.axes is None or text.axes.axison or text in text.axes.texts)
    ]  # fmt: skip


def low_to_high(interval: tuple[float, float], value: float) -> bool:
    return min(interval) <= value <= max(interval)


def test_no_text_is_smaller_than_seven_points(figure: Figure) -> None:
    texts = visible_texts(figure)
    assert len(texts) > 5
    assert min(text.get_fontsize() for text in texts) >= 7


def test_no_text_is_cut_off_or_lies_on_another(figure: Figure) -> None:
    texts = visible_texts(figure)
    # Of the text alone: an annotation's own extent takes in its leader.
    boxes = {text: Text.get_window_extent(text) for text in texts}
    for text, extent in boxes.items():
        assert extent.x0 >= -1, text
        assert extent.y0 >= -1, text
        assert extent.x1 <= figure.bbox.x1 + 1, text
        assert extent.y1 <= figure.bbox.y1 + 1, text
    for one, other in itertools.combinations(texts, 2):
        a, b = boxes[one], boxes[other]
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or high <= 1, (one, other)  # a pixel: boxes include side bearings
