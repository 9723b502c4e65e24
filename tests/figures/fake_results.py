"""The results of a run that never was, and the style of print; only for tests."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from tests.figures.fake_tables import make_tuning

from l2l.config import Config, load_config
from l2l.config.schema import FigureSettings
from l2l.figures import experiments
from l2l.results import Results

CHOSEN = 1
"""The meta-seed that validated best."""
STYLE = FigureSettings(dpi=200, width_inches=3.25, interval=0.95, font_size=8.0)


@dataclass(frozen=True)
class FakeResults(Results):
    """Tables by name, in memory.

    Attributes:
        tables: experiment, measurement or recipe -> its curves, table or logs.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def tuning(self, experiment: str) -> pd.DataFrame:
        return make_tuning()

    def chosen(self, recipes: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(recipes, CHOSEN)

    def curves(self, experiment: str) -> pd.DataFrame:
        return self.tables[experiment]

    def measurement(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def logs(self, recipe: str) -> pd.DataFrame:
        return self.tables[recipe]

    def claims(self) -> pd.DataFrame:
        return self.tables["claims"]


def fake(config: Config | None = None, **tables: pd.DataFrame) -> FakeResults:
    """In the style of print; of the default configuration, if there is no other one."""
    styled = (config or load_config()).model_copy(update={"figures": STYLE})
    return FakeResults(styled, tables=tables)


def draw_panels(shown: str = "loss", **tables: pd.DataFrame) -> Figure:
    """The losses of experiments of these titles, up to the last steps of their tables."""
    mnist = load_config().experiments["mnist"]
    entries = {}
    for title, table in tables.items():
        learned = tuple(key for key in table["optimizer"].unique() if key not in mnist.baselines)
        settings = {"title": title, "shown": shown, "horizon": int(table["step"].max())}
        entries[title] = mnist.model_copy(update=settings | {"learned": learned})
    config = load_config().model_copy(update={"experiments": entries})
    return experiments.draw_losses([*tables], fake(config, **tables))


def with_experiments(config: Config, changes: dict[str, dict[str, Any]]) -> Config:
    """The configuration, with other settings of some experiments."""
    experiments = {
        name: entry.model_copy(update=changes.get(name, {}))
        for name, entry in config.experiments.items()
    }
    return config.model_copy(update={"experiments": experiments})
