"""Where the datasets lie on this machine: one rule, the same for every dataset and command."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT_VARIABLE = "L2L_DATA_DIR"


def data_directory(configured: str | Path | None) -> Path:
    """The folder that holds one subfolder per dataset (mnist/, ...).

    The environment variable L2L_DATA_DIR wins, because it belongs to the machine and the config to
    the experiment; then the configured folder; then ./data of the current working directory.

    Args:
        configured: the folder named in the config, or None. `~` is expanded.

    Returns:
        An absolute path. It need not exist yet.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE) or configured or "data"
    return Path(chosen).expanduser().absolute()
