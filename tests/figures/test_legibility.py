"""Every figure at print size: no small print, nothing cut off, no text on text."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.figures.fake_pictures import write_pictures
from tests.figures.fake_results import draw_panels, fake
from tests.figures.fake_tables import (
    BASELINES,
    make_claims,
    make_curves,
    make_landscape,
    make_log,
    make_meta_gradients,
    make_overhead,
    make_step_size,
    make_updates,
    make_variant,
)

from l2l.config import Config, load_config
from l2l.figures import meta_training, style_images, unroll, variants
from l2l.figures.base import figures
from l2l.figures.variants import Variant
from l2l.results import Results

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
    "verdicts",
    "figure4",
    "meta_training",
    "few_meta_trainings",
    "architecture",
    "overhead",
    "updates",
    "ablations",
    "unroll",
    "landscape",
    "step_size",
    "optimizer_loop",
    "computation_graph",
    "coordinatewise_lstm",
    "hierarchical_diagram",
]


@pytest.fixture(params=[*CURVES, *OTHERS])
def figure(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Figure:
    name: str = request.param
    config = load_config()
    for module in (variants, unroll):  # variants stand where curves would
        monkeypatch.setattr(module, "variants", lambda made, settings: made)
    if name in CURVES:
        tables = {
            f"Panel {number}": make_curves([*BASELINES, *keys], 6, steps, ("mnist",), 25, diverging)
            for number, (keys, diverging, steps) in enumerate(CURVES[name])
        }
        return draw_panels("test_loss", **tables)
    if name == "style_images":
        write_pictures(config, tmp_path)
        return style_images.FIGURE.draw(Results(config, tmp_path))
    if name == "few_meta_trainings":
        few = ("quadratics_lstm", "mnist_paper", "mnist_long_unroll")
        return meta_training.draw(fake(**logs(few)), few)
    networks = config.experiments["architecture"].problems
    recipes = {"mnist": ("mnist_paper", "mnist_long_unroll"), "cifar10": ("cifar",)}
    horizon = config.experiments["architecture"].horizon
    measured = config.measurements.meta_gradients
    stages, lines = config.measurements.step_size, config.measurements.landscape
    results = fake(
        mnist=make_curves(ON_MNIST, 8),
        quadratics=make_curves([*BASELINES, "quadratics_lstm"], 8, 100),
        claims=make_claims(config),
        architecture=make_curves(ON_MNIST, 3, horizon, networks, 0, {"mnist_paper": 0.03}),
        overhead=make_overhead(),
        landscape=make_landscape(lines.slices, lines.directions, lines.horizons),
        step_size=make_step_size(stages.starts, stages.windows),
        updates=make_updates(recipes, (1, 5, 20, 50, 100)),
        meta_gradients=make_meta_gradients(measured.stages, measured.estimators, measured.windows),
        **logs(config.main_recipes()),
        **of_variants(config, "ablations"),
        **of_variants(config, "unroll"),
    )
    return figures(config)[name].draw(results)


def logs(recipes: Iterable[str]) -> dict[str, pd.DataFrame]:
    return {
        key: pd.concat([make_log(key, seed) for seed in range(2 + place % 2)])
        for place, key in enumerate(recipes)
    }


def of_variants(config: Config, figure: str) -> dict[str, list[Variant]]:
    """Experiments of a figure -> losses from equal to far beyond the edge of `ablations`."""
    panels = {}
    for name in config.figure_experiments()[figure]:
        entry = config.experiments[name]
        panels[name] = [
            make_variant(key, 0.7 * 1.5**k if figure == "ablations" else 5 / (k + 1), 1 + k % 2)
            for k, key in enumerate(entry.learned)
        ]
        panels[name] += [make_variant(key, 200, seeds=1) for key in entry.baselines]
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
