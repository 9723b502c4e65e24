"""Every figure at print size: no small print, nothing cut off, no text on text."""

import itertools

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.figures.fake_pictures import discs, waves
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
from l2l.figures import (
    architecture,
    computation_graph,
    coordinatewise_lstm,
    hierarchical_diagram,
    meta_training,
    mnist_continued,
    optimizer_loop,
    overhead,
    panels,
    stand_ins,
    style_images,
    unroll,
    updates,
    variants,
)

ON_MNIST = [*BASELINES, "mnist_paper", "mnist_long_unroll"]
DIAGRAMS = {
    "optimizer_loop": optimizer_loop,
    "computation_graph": computation_graph,
    "coordinatewise_lstm": coordinatewise_lstm,
    "hierarchical_diagram": hierarchical_diagram,
}
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
]


@pytest.fixture(params=[*CURVES, *OTHERS, *DIAGRAMS])
def figure(request: pytest.FixtureRequest, labels: dict, style: object) -> Figure:
    name = request.param
    if name in DIAGRAMS:
        return DIAGRAMS[name].draw(style)
    if name in CURVES:
        found = [
            panels.Panel(
                "A panel",
                make_curves([*BASELINES, *learned], 3, steps, ("mnist",), 25, diverging),
                "test_loss",
                steps,
                "held-out loss",
            )
            for learned, diverging, steps in CURVES[name]
        ]
        return panels.draw(found, load_config().labels(), style)
    if name == "style_images":
        styled = {"LSTM (continued)": discs(3, 64), "ADAM": discs(3, 64)}
        titles = ("Training style, 64 x 64", "New styles, 128 x 128")
        groups = [
            style_images.Group(title, "after 128 steps", discs(3, 64), styled, waves(3, 64))
            for title in titles
        ]
        records = [{"name": key, "stand_in": text} for key, text in stand_ins.FREE.items()]
        return style_images.draw(groups, stand_ins.notes(records), style)
    if name == "mnist_continued":
        return mnist_continued.draw(make_curves(ON_MNIST, 8), labels, style, 100)
    if name == "architecture":
        config = load_config()
        networks = {key: config.problems[key] for key in config.experiments[name].problems}
        table = make_curves(ON_MNIST, 3, 50, tuple(networks), 0, {"mnist_paper": 0.03})
        return architecture.draw(table, networks, [networks["mnist"]], labels, style, 50)
    if name == "overhead":
        curves = make_curves(ON_MNIST, 3, 200)
        timed_as = {key: key for key in BASELINES}
        timed_as |= dict.fromkeys(("mnist_paper", "mnist_long_unroll"), "mnist_paper")
        race = overhead.Race("MNIST", "mnist", curves, timed_as, 100)
        problems = {"mnist": "MNIST", "cifar10": "CIFAR-10", "neural_art": "Neural Art"}
        return overhead.draw(make_overhead(), problems, race, labels, style)
    if name == "updates":
        recipes = {"mnist": ("mnist_paper", "mnist_long_unroll"), "cifar10": ("cifar",)}
        titles = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
        table = make_updates(recipes, (1, 5, 20, 50, 100))
        return updates.draw(table, titles, load_config().labels(), style)
    if name == "ablations":
        return variants.draw(compared(load_config()), load_config().labels(), style)
    if name == "unroll":
        measured = load_config().measurements.meta_gradients
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
        return unroll.draw(table, stages, sources, quality, style)
    if name == "meta_training_of_all":
        labels = load_config().labels()
    logs = [make_log(key, seed) for k, key in enumerate(labels) for seed in range(2 + k % 2)]
    return meta_training.draw(pd.concat(logs), labels, style)


def compared(config: Config) -> list[variants.Panel]:
    """The panels of the figure `ablations`, with losses from equal to far beyond the edge."""
    found = []
    for name in config.figure_experiments()["ablations"]:
        experiment = config.experiments[name]
        others = [key for key in experiment.learned if key != experiment.reference]
        made = [
            make_variant(key, 0.7 * 1.5**k, seeds=1 + 2 * (k % 2)) for k, key in enumerate(others)
        ]
        made += [make_variant(key, 200, seeds=0) for key in experiment.baselines]
        found.append(variants.Panel(experiment.title, str(experiment.reference), made))
    return found


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
