"""The results of a run that never was, and the style of print; only for tests."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from l2l.config import Config, load_config
from l2l.config.schema import FigureSettings
from l2l.results import Results

STYLE = FigureSettings(dpi=200, width_inches=3.25, interval=0.95, font_size=8.0)


@dataclass(frozen=True)
class FakeResults(Results):
    """Tables by name, in memory.

    Attributes:
        tables: experiment, measurement or recipe -> its curves, table or logs.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def curves(self, experiment: str) -> pd.DataFrame:
        return self.tables[experiment]

    def measurement(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def logs(self, recipe: str) -> pd.DataFrame:
        return self.tables[recipe]


def fake(config: Config | None = None, **tables: pd.DataFrame) -> FakeResults:
    """In the style of print; of the default configuration, if there is no other one."""
    styled = (config or load_config()).model_copy(update={"figures": STYLE})
    return FakeResults(styled, tables=tables)


def with_experiments(config: Config, changes: dict[str, dict[str, Any]]) -> Config:
    """The configuration, with other settings of some experiments."""
    experiments = {
        name: entry.model_copy(update=changes.get(name, {}))
        for name, entry in config.experiments.items()
    }
    return config.model_copy(update={"experiments": experiments})
