"""The released optimizers and tuned rates: what a finished run leaves for runs that do not train.

Recipes and tunings whose `origin` is `released` come from the folder `docs/replication/trained` of
the checkout, which `l2l record` fills. A run takes them only if they were made with its own
settings and if each file has the recorded digest.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from l2l.config import Config, config_folder, load_config
from l2l.config.inputs import digest, training_inputs, tuning_inputs
from l2l.errors import UserError
from l2l.files import write_bytes, write_json
from l2l.layout import Layout

FOLDER = "trained"
"""The release in the folder of a record."""
CONTENTS = "contents.json"
RUN = ("optimizer.safetensors", "log.csv", "summary.json")
"""The files of one meta-training."""


def release_folder() -> Path:
    """The folder of the release: that of a record in the working directory, else the checkout's."""
    own = Path("docs") / "replication" / FOLDER
    return own if own.is_dir() else config_folder().parent / own


class ReleasedPart(NamedTuple):
    """A recipe's meta-trainings, or the tuning of a baseline on an experiment.

    Attributes:
        key: its name in messages and in the table of contents.
        origin: where it comes from in this run.
        make: the setting with which a run makes it itself.
        inputs: a digest of its settings, without the horizon.
        files: of the run; in the release they lie in the same order of folders without
            `results/<run>`.
        horizon: the step whose loss decides a tuning; 0 for a meta-training. A tuned rate is taken
            for shorter runs too (config/released.yaml; the page says so), never for longer ones.
    """

    key: str
    origin: str
    make: str
    inputs: str
    files: list[Path]
    horizon: int = 0


def parts(config: Config, root: Path = Path()) -> Iterator[ReleasedPart]:
    """Everything of a run in the folder `root` that is meta-trained or tuned, by it or before."""
    layout = Layout(config.run_name, root)
    for recipe in config.used_recipes():
        key, entry = f"recipes.{recipe}", config.recipes[recipe]
        runs = [layout.run(recipe, seed) for seed in range(entry.meta_seeds)]
        files = [layout.rate(recipe), *(run / name for run in runs for name in RUN)]
        inputs = digest(training_inputs(config, recipe))
        yield ReleasedPart(key, entry.origin, f"{key}.origin = trained", inputs, files)
    for experiment, settings in config.experiments.items():
        key = f"experiments.{experiment}"
        origin, make = settings.tuning.origin, f"{key}.tuning.origin = tuned"
        for baseline in settings.baselines:
            tuning = tuning_inputs(config, experiment, baseline)
            horizon = tuning.pop("horizon")
            files = [layout.tuning(experiment, baseline)]
            part = (f"{key} with {baseline}", origin, make, digest(tuning), files, horizon)
            yield ReleasedPart(*part)


def taken(config: Config, root: Path = Path()) -> list[ReleasedPart]:
    """What a run in the folder `root` takes from the record; empty: it makes all itself."""
    return [part for part in parts(config, root) if part.origin == "released"]


def write_release(config: Config, folder: Path, root: Path = Path()) -> None:
    """Copy a finished run's trained optimizers and tuned rates; they replace an older release.

    Args:
        config: of the run.
        folder: of the release.
        root: the run's working directory.

    Raises:
        UserError: a file of the run is missing, or it was made with other settings.
    """
    layout = Layout(config.run_name, root)
    made, wanted = [*parts(load_config(files=[layout.config]), root)], [*parts(config, root)]
    if any(part not in made for part in wanted):
        raise UserError(
            f"{layout.config}: the run was made with other settings: give --config-file "
            f"{layout.config}"
        )
    for file in (file for part in wanted for file in part.files):
        if not file.is_file():
            raise UserError(f"{file} is missing: run snakemake, which knows what makes it")
    shutil.rmtree(folder, ignore_errors=True)
    contents = {}
    for part in wanted:
        digests = {}
        for file in part.files:
            content, name = file.read_bytes(), file.relative_to(layout.results)
            write_bytes(folder / name, content)
            digests[name.as_posix()] = hashlib.sha256(content).hexdigest()
        contents[part.key] = {"inputs": part.inputs, "horizon": part.horizon, "files": digests}
    write_json(folder / CONTENTS, contents)


def check_release(config: Config, folder: Path | None = None) -> dict[str, Any]:
    """Check that the release has all that a run needs, made with the same settings.

    Args:
        config: of the run.
        folder: of the release; by default that of the checkout.

    Returns:
        The table of contents: key of a part -> inputs, horizon, and the SHA-256 of its files.

    Raises:
        UserError: something is not released, or was made with other settings.
    """
    path = (folder or release_folder()) / CONTENTS
    try:
        contents: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(
            f"{path} is missing or damaged: get the table of released optimizers from the "
            "repository (git checkout), make it of a finished run (make publish), or meta-train "
            "(optimizers = trained)"
        ) from None
    results = Layout(config.run_name).results
    for part in taken(config):
        released = contents.get(part.key, {"files": {}})
        if {file.relative_to(results).as_posix() for file in part.files} - released["files"].keys():
            reason = "is not among the released ones"
        elif released["inputs"] != part.inputs:
            reason = "was released with other settings than this configuration's"
        elif part.horizon > released["horizon"]:
            reason = f"was tuned for step {released['horizon']}, not {part.horizon}"
        else:
            continue
        make = part.make if config.optimizers == "mixed" else "optimizers = trained"
        raise UserError(
            f"{part.key} {reason}: use the settings of the protocol default, or make it anew in "
            f"this run ({make})"
        )
    return contents


def take_release(config: Config, folder: Path | None = None) -> None:
    """Copy all that a run needs to where meta-training and tuning would put it.

    Args:
        config: of the run.
        folder: of the release; by default that of the checkout.

    Raises:
        UserError: see `check_release`; or a file has another digest than the released one.
    """
    folder = folder or release_folder()
    contents = check_release(config, folder)
    results = Layout(config.run_name).results
    for part in taken(config):
        for file in part.files:
            name = file.relative_to(results)
            path, sha256 = folder / name, contents[part.key]["files"][name.as_posix()]
            content = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(content).hexdigest() != sha256:
                raise UserError(
                    f"{path} is missing or not what was released: get it from the repository again "
                    "(git checkout)"
                )
            write_bytes(file, content)
