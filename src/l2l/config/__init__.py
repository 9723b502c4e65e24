"""The typed configuration: what may be set, where it comes from, which stage reads what."""

from l2l.config.experiments import Experiment
from l2l.config.load import changes, config_folder, load_config, resolved_yaml
from l2l.config.optimizers import LSTMSettings
from l2l.config.recipes import Recipe
from l2l.config.schema import Config, FigureSettings

__all__ = [
    "Config",
    "Experiment",
    "FigureSettings",
    "LSTMSettings",
    "Recipe",
    "changes",
    "config_folder",
    "load_config",
    "resolved_yaml",
]
