"""What the figures of measurements show of their tables."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from tests.figures.fake_results import fake
from tests.figures.fake_tables import (
    BASELINES,
    make_curves,
    make_landscape,
    make_overhead,
    make_step_size,
    make_updates,
)

from l2l.figures import landscape, overhead, step_size, updates

LEARNED = ("mnist_paper", "mnist_long_unroll")


@pytest.fixture
def panels() -> list[Axes]:
    """Those of `overhead`."""
    curves = make_curves([*BASELINES, *LEARNED], 3, 200)
    return overhead.FIGURE.draw(fake(overhead=make_overhead(), mnist=curves)).axes


def test_a_line_is_the_median_time_of_each_size(panels: list[Axes]) -> None:
    table = make_overhead()
    adam = table[table["timed"] == "adam"].groupby("coordinates")["seconds"].median()
    lines = [line for line in panels[0].lines if len(line.get_xdata()) == len(adam)]
    assert any(np.allclose(line.get_ydata(), adam) for line in lines)
    names = {text.get_text() for text in panels[0].texts}
    assert names >= {"ADAM", "LSTM (paper)", "LSTM (paper),\nplain PyTorch", "MNIST"}


def test_time_is_the_step_times_gradient_and_overhead(panels: list[Axes]) -> None:
    table = make_overhead()
    here = table[(table["problem"] == "mnist") & (table["implementation"] == "default")]
    median = here.groupby("timed")["seconds"].median()
    by_step, by_time = (
        {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
        for axes in panels[2:]
    )
    assert len(by_step) == 6, "both LSTMs, of one architecture, are timed as one"
    for name, key in (("ADAM", "adam"), ("LSTM (long unroll)", "mnist_paper")):
        each = 1e3 * (median["gradient"] + median[key])
        steps, losses = by_step[name].get_data()
        times, same = (values[: len(steps)] for values in by_time[name].get_data())
        np.testing.assert_array_equal(same, losses)
        np.testing.assert_allclose(times, steps * each)
    assert panels[2].get_ylim() == panels[3].get_ylim()


def test_a_point_is_the_median_overhead_of_a_step_with_its_gradient(panels: list[Axes]) -> None:
    table = make_overhead()
    points = [line for line in panels[1].lines if line.get_marker() == "o"]
    for key, kind in (("mnist_paper", "default"), ("mnist_paper", "reference")):
        for line, problem in enumerate(("mnist", "cifar10", "neural_art")):
            here = table[table["problem"] == problem].set_index("repeat")
            own = here[(here["timed"] == key) & (here["implementation"] == kind)]
            sums = own["seconds_with_gradient"]
            ratio = (sums / here.loc[here["timed"] == "adam", "seconds_with_gradient"]).median()
            places = [line.get_xydata()[0] for line in points]
            assert any(x == pytest.approx(ratio) and round(y) == line for x, y in places)


def test_times_have_units() -> None:
    told = [overhead.with_unit(seconds) for seconds in (1e-9, 1e-5, 3e-3, 0.1, 10)]
    assert told == ["1 ns", "10 µs", "3 ms", "100 ms", "10 s"]


def test_updates_have_a_row_for_each_run_and_a_line_for_each_coordinate() -> None:
    table = make_updates({"mnist": LEARNED, "cifar10": ("cifar",)}, (1, 5))
    results = fake(updates=table)
    figure = updates.FIGURE.draw(results)
    assert len(figure.axes) == 3 * 2
    titles = [results.config.experiments[name].title for name in ("mnist", "mnist", "cifar10")]
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == [
        f"{each}: update" for each in titles
    ]
    first = figure.axes[0]
    lines = [line for line in first.lines if len(line.get_xdata()) == 27]
    assert len(lines) == 3 * 2
    points = [line for line in first.lines if line.get_marker() == "o"]
    own = table[(table["experiment"] == "mnist") & (table["step"] == 1)]
    own = own[own["optimizer"].isin(["mnist_paper", "adam"])]
    expected = own[["actual_gradient", "actual_update"]].drop_duplicates().to_numpy()
    found = [(point.get_xdata()[0], point.get_ydata()[0]) for point in points]
    np.testing.assert_allclose(sorted(found), sorted(map(tuple, expected)))


def test_slopes_have_a_panel_for_each_window_and_medians_over_networks() -> None:
    results = fake()
    settings = results.config.measurements.step_size
    table = make_step_size(settings.starts, settings.windows)
    results.tables["step_size"] = table
    figure = step_size.FIGURE.draw(results)
    assert len(figure.axes) == len(settings.windows)
    for axes, window in zip(figure.axes, settings.windows, strict=True):
        assert f"{window} steps" in axes.get_title(loc="left")
        lines = {line.get_color(): line for line in axes.lines if line.get_linewidth() == 1.3}
        points = [line for line in axes.lines if line.get_linestyle() == "None"]
        for estimate, (_, color, _, _) in step_size.SHOWN.items():
            own = table[(table["window"] == window) & (table["estimate"] == estimate)]
            medians = own.groupby("start")["slope"].median()
            drawn = lines[color].get_ydata()
            np.testing.assert_allclose(drawn, medians.loc[[*settings.starts]])
            heights = np.concatenate([p.get_ydata() for p in points if p.get_color() == color])
            np.testing.assert_allclose(sorted(heights), sorted(own["slope"]))
        low, high = axes.get_ylim()
        assert low < table["slope"].min() < table["slope"].max() < high


def test_a_landscape_has_a_panel_for_each_horizon_and_a_line_for_each_direction() -> None:
    results = fake()
    settings = results.config.measurements.landscape
    table = make_landscape(settings.slices, settings.directions, settings.horizons)
    results.tables["landscape"] = table
    panels = landscape.FIGURE.draw(results).axes
    assert len(panels) == len(settings.slices) * len(settings.horizons)
    for horizon, axes in zip(sorted(settings.horizons), panels, strict=False):
        own = table[table["horizon"] == horizon].groupby(["direction", "problem"])["loss"]
        lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 21]
        for (_, losses), line in zip(own, lines, strict=True):
            changes = 100 * (losses.to_numpy() / losses.to_numpy()[10] - 1)
            np.testing.assert_allclose(line, changes, atol=1e-9)
