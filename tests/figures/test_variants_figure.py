"""The figures of variants and of windows draw what is in their tables, at its place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tests.figures.fake_results import FakeResults, fake
from tests.figures.fake_tables import make_meta_gradients, make_variant

from l2l.config import Config, load_config
from l2l.figures import unroll, variants
from l2l.figures.variants import Variant

VARIANTS = [
    make_variant("mnist_paper", 1),
    make_variant("rnn", 1.5),
    make_variant("es", 0.6, seeds=1),
    make_variant("adam", 4, seeds=1),
]
STAGES, SOURCES = {"early": "untrained", "late": "trained"}, ("kept", "es")
WINDOWS = (1, 10, 100)
QUADRATICS = [("a", 6.0), ("b", 0.75), ("c", 0.9)]
"""Recipe -> the mean loss of its first meta-seed over the reference's; the second: 1.1 times."""


def markers(axes: Axes, marker: str) -> list[tuple[float, float]]:
    """Points with this marker, from the top row down."""
    lines = [line for line in axes.lines if line.get_marker() == marker]
    found = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]
    return sorted(found, key=lambda point: point[1])


@pytest.fixture(autouse=True)
def _made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variants stand where curves would, and are not computed."""
    for figure in (variants, unroll):
        monkeypatch.setattr(figure, "variants", lambda made, settings: made)


def compared(changes: dict, config: Config, **made: list[Variant]) -> FakeResults:
    """Experiments with these variants."""
    base = config.experiments["mnist"].model_copy(update={"reference": "mnist_paper"})
    entries = {
        name: base.model_copy(update={"title": name, **changes.get(name, {})}) for name in made
    }
    return fake(config.model_copy(update={"experiments": entries}), **made)


def draw_variants(**made: list[Variant]) -> list[Axes]:
    return variants.draw_variants([*made], compared({}, load_config(), **made)).axes


def test_a_row_for_the_reference_and_each_variant_a_panel_for_each_experiment() -> None:
    above, below = draw_variants(Quadratics=VARIANTS[:2], MNIST=VARIANTS)
    assert [axes.get_title(loc="left") for axes in (above, below)] == ["Quadratics", "MNIST"]
    names = [text.get_text() for text in below.get_yticklabels()]
    assert names == ["LSTM (paper) (reference)", "rnn", "es", "ADAM, tuned"]
    assert list(below.get_yticks()) == [0, 1, 2, 3]
    assert len(above.get_yticks()) == 2
    bottom, top = below.get_ylim()
    assert bottom > 3 > 0 > top, "the first row is the highest"


@pytest.mark.parametrize(("attribute", "marker"), [("final", "o"), ("mean", "D")])
def test_every_meta_seed_is_a_dot_in_its_row_inside_the_axes(attribute: str, marker: str) -> None:
    (axes,) = draw_variants(MNIST=VARIANTS)
    found = markers(axes, marker)
    expected = [
        (ratio, row) for row, one in enumerate(VARIANTS) for ratio in getattr(one, attribute)
    ]
    assert [x for x, _ in found] == pytest.approx([ratio for ratio, _ in expected])
    assert [round(y) for _, y in found] == [row for _, row in expected]
    low, high = axes.get_xlim()
    assert all(low < x < high for x, _ in found)


@pytest.mark.parametrize(
    ("ratio", "marker", "edge"),
    [(math.inf, ">", 1), (math.nan, ">", 1), (100.0, ">", 1), (0.001, "<", 0)],
)
def test_what_lies_beyond_is_an_arrow_at_its_edge(ratio: float, marker: str, edge: int) -> None:
    far = Variant("rnn", np.array([1.1, 1.2]), np.array([1.0, ratio]))
    (axes,) = draw_variants(MNIST=[far])
    at = axes.get_xlim()[edge]
    assert [x for x, _ in markers(axes, marker)] == pytest.approx([at])
    assert [x for x, _ in markers(axes, "o")] == [1.0], "the other meta-seed"
    assert len(markers(axes, "D")) == 2


@pytest.fixture
def of_windows(_made: None) -> Figure:
    config = load_config()
    recipe = config.recipes["mnist_paper"]
    (stage,) = recipe.unroll
    windows = {"mnist_paper": [20], "a": [1], "b": [100], "c": [20, 50], "d": [5]}
    recipes = {
        name: recipe.model_copy(
            update={"unroll": tuple(stage.model_copy(update={"window": w}) for w in own)}
        )
        for name, own in windows.items()
    }
    settings = config.measurements.meta_gradients
    stage, source = next(iter(settings.stages.values())), next(iter(settings.estimators.values()))
    stages = {key: stage.model_copy(update={"title": title}) for key, title in STAGES.items()}
    few = {"stages": stages, "estimators": dict.fromkeys(SOURCES, source)}
    measured = config.measurements.model_copy(
        update={"meta_gradients": settings.model_copy(update=few)}
    )
    reference = Variant("mnist_paper", np.ones(3), np.ones(3))
    made = {
        "Quadratics": [reference, *(make_variant(*one, seeds=2) for one in QUADRATICS)],
        "MNIST": [reference, make_variant("d", 2, seeds=1)],
    }
    changes = {name: {"figure": "unroll"} for name in made}
    config = config.model_copy(update={"recipes": recipes, "measurements": measured})
    results = compared(changes, config, **made)
    results.tables["meta_gradients"] = make_meta_gradients(STAGES, SOURCES, WINDOWS)
    return unroll.draw(results)


def test_each_measure_and_stage_has_a_panel_with_medians_of_each_estimator(
    of_windows: Figure,
) -> None:
    table = make_meta_gradients(STAGES, SOURCES, WINDOWS)
    assert len(of_windows.axes) == 3 * 2 + 2
    grid = np.array(of_windows.axes[:6]).reshape(3, 2)
    bias = (1 - table["cosine"]).clip(lower=1e-3)
    table = table.assign(bias=bias)
    for row, measure in zip(grid, ("norm", "variance", "bias"), strict=True):
        for axes, stage in zip(row, STAGES, strict=True):
            assert len(axes.lines) == len(axes.collections) == len(SOURCES)
            for line, band, source in zip(axes.lines, axes.collections, SOURCES, strict=True):
                own = table[(table["stage"] == stage) & (table["estimator"] == source)]
                values = own.groupby("window")[measure]
                assert list(line.get_xdata()) == list(WINDOWS)
                np.testing.assert_allclose(line.get_ydata(), values.median())
                heights = band.get_paths()[0].vertices[:, 1]
                assert heights.max() == pytest.approx(values.max().max())
                assert heights.min() == pytest.approx(values.min().min())
    assert [axes.get_title(loc="left") for axes in grid[0]] == ["untrained", "trained"]


def test_below_is_what_was_learned_with_each_window(of_windows: Figure) -> None:
    """The reference is 1 at its own window; growing windows are a line across."""
    first, second = of_windows.axes[6:]
    mean, final = (line for line in first.lines if list(line.get_xdata()) == [1, 20, 100])
    final, mean = sorted((mean, final), key=lambda line: -line.get_ydata()[0])
    assert list(mean.get_ydata()) == pytest.approx([6 * 1.05, 1, 0.75 * 1.05])
    assert list(final.get_ydata()) == pytest.approx([12 * 1.05, 1, 1.5 * 1.05])
    dots = [line.get_xydata().tolist() for line in first.lines if line.get_marker() == "D"]
    assert sorted(dots) == [[[1, 6], [1, pytest.approx(6.6)]], [[20, 1]] * 3,
                            [[100, 0.75], [100, pytest.approx(0.825)]]]  # fmt: skip
    across = [line.get_ydata()[0] for line in first.lines if list(line.get_xdata()) == [0, 1]]
    assert sorted(across) == pytest.approx([0.9 * 1.05, 1, 1.8 * 1.05])
    (line, _) = (line for line in second.lines if list(line.get_xdata()) == [5, 20])
    assert {line.get_ydata()[1]} == {1}
    across = [line for line in second.lines if list(line.get_xdata()) == [0, 1]]
    assert [line.get_ydata()[0] for line in across] == [1]


def test_a_line_without_marks_ends_where_the_variance_is_infinite() -> None:
    table = make_meta_gradients(("early",), ("kept",), WINDOWS)
    table.loc[table["window"] == 100, "variance"] = np.inf
    axes = Figure().subplots()
    unroll._draw_measure(axes, table, "variance", {"kept": unroll.LOOKS[0]}, {"kept": "Kept"})
    (line,) = axes.lines
    assert line.get_marker() == "None"
    assert np.isfinite(line.get_ydata()).tolist() == [True, True, False]
