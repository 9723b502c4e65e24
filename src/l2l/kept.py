"""What a record keeps of meta-training and tuning, and a run that takes it from there.

With `optimizers: released` nothing is meta-trained and no learning rate is tuned: both come from
the folder `docs/replication/trained` of the checkout, which `l2l record` fills. What is taken was
made with the settings of the run that takes it, and is the bytes that were kept; else nothing is.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from l2l.config import Config, config_folder, load_config
from l2l.config.stages import digest, training_inputs, tuning_inputs
from l2l.errors import UserError
from l2l.files import write_bytes, write_json
from l2l.layout import Layout

FOLDER = "trained"
"""Of a record."""
CONTENTS = "contents.json"
RUN = ("optimizer.safetensors", "log.csv", "summary.json")
"""The files of one meta-training."""


def folder() -> Path:
    """Where the checkout keeps them."""
    return config_folder().parent / "docs" / "replication" / FOLDER


class Stage(NamedTuple):
    """A recipe's meta-trainings, or the tuning of a baseline on an experiment.

    Attributes:
        key: for people, and in the table of contents.
        inputs: a digest of what it depends on, but for the horizon.
        files: relative to the working directory; in the record they lie in the same order of
            folders without `results/<run>`.
        horizon: the step that a tuning looks at; 0 of a meta-training. A rate is taken for a run
            that ends earlier too (config/released.yaml; the page says so), never for a longer one.
    """

    key: str
    inputs: str
    files: list[Path]
    horizon: int = 0


def stages(config: Config) -> Iterator[Stage]:
    """Everything that a run would meta-train and tune."""
    layout = Layout(config.run_name)
    for recipe in config.used_recipes():
        runs = [layout.run(recipe, seed) for seed in range(config.recipes[recipe].meta_seeds)]
        files = [layout.rate(recipe), *(run / name for run in runs for name in RUN)]
        yield Stage(f"recipes.{recipe}", digest(training_inputs(config, recipe)), files)
    for experiment, settings in config.experiments.items():
        for baseline in settings.baselines:
            inputs = tuning_inputs(config, experiment, baseline)
            horizon = inputs.pop("horizon")
            files = [layout.tuning(experiment, baseline)]
            yield Stage(f"experiments.{experiment} with {baseline}", digest(inputs), files, horizon)


def keep(config: Config, to: Path, root: Path = Path()) -> None:
    """Copy a finished run's trained optimizers and tuned rates; what was there before goes.

    Args:
        config: of the run.
        to: the folder.
        root: the run's working directory.

    Raises:
        UserError: a file of the run is missing, or it was made with other settings.
    """
    layout = Layout(config.run_name)
    made_with = root / layout.config
    ran, wanted = [*stages(load_config(files=[made_with]))], [*stages(config)]
    if any(stage not in ran for stage in wanted):
        raise UserError(
            f"{made_with}: the run was made with other settings: give --config-file {made_with}"
        )
    for file in (file for stage in wanted for file in stage.files):
        if not (root / file).is_file():
            raise UserError(f"{root / file} is missing: run snakemake, which knows what makes it")
    shutil.rmtree(to, ignore_errors=True)
    kept = {}
    for stage in wanted:
        digests = {}
        for file in stage.files:
            content, name = (root / file).read_bytes(), file.relative_to(layout.results)
            write_bytes(to / name, content)
            digests[name.as_posix()] = hashlib.sha256(content).hexdigest()
        kept[stage.key] = {"inputs": stage.inputs, "horizon": stage.horizon, "files": digests}
    write_json(to / CONTENTS, kept)


def check(config: Config, kept: Path | None = None) -> dict[str, Any]:
    """The table of contents, once it is sure that it has all that a run needs.

    Raises:
        UserError: something is not kept, or was made with other settings.
    """
    kept = kept or folder()
    if not kept.is_dir():
        raise UserError(
            f"optimizers = released: there is no {kept}: make publish makes it of a finished run; "
            "or meta-train (optimizers = trained)"
        )
    try:
        contents: dict[str, Any] = json.loads((kept / CONTENTS).read_text(encoding="utf-8"))
        results = Layout(config.run_name).results
        for stage in stages(config):
            if why := _refused(stage, contents.get(stage.key), results):
                raise UserError(
                    f"optimizers = released: {stage.key} {why}: use the protocol default as it is, "
                    "or meta-train (optimizers = trained)"
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{kept / CONTENTS} is missing or damaged: get it from the repository again "
            "(git checkout), or meta-train (optimizers = trained)"
        ) from None
    return contents


def _refused(stage: Stage, kept: dict[str, Any] | None, results: Path) -> str:
    """Why a stage cannot be taken; empty if it can."""
    names = {file.relative_to(results).as_posix() for file in stage.files}
    if kept is None or names - kept["files"].keys():
        return "is not among the released ones"
    if kept["inputs"] != stage.inputs:
        return "was released with other settings than this configuration's"
    if stage.horizon > kept["horizon"]:
        return f"was tuned for step {kept['horizon']}, not {stage.horizon}"
    return ""


def take(config: Config, kept: Path | None = None) -> None:
    """Copy all that a run needs from the record to where meta-training and tuning would put it.

    Raises:
        UserError: see `check`; or a file is not what was kept.
    """
    kept = kept or folder()
    contents = check(config, kept)
    results = Layout(config.run_name).results
    for stage in stages(config):
        for file in stage.files:
            name = file.relative_to(results)
            write_bytes(file, _read(kept / name, contents[stage.key]["files"][name.as_posix()]))


def _read(path: Path, sha256: str) -> bytes:
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(
            f"{path} is missing or not what was released: get it from the repository again "
            "(git checkout)"
        )
    return content
