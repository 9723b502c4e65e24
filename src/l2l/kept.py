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
from typing import Any

from l2l.config import Config, config_folder
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


def stages(config: Config) -> Iterator[tuple[str, str, list[Path]]]:
    """Every meta-training recipe and every tuning: a key, a digest of its inputs, its files.

    Rates tuned for one horizon are taken for another one too (config/released.yaml ends long runs
    early); the page says so. The files are relative to the working directory; in the record they
    lie in the same order of folders without `results/<run>`.
    """
    layout = Layout(config.run_name)
    for recipe in config.used_recipes():
        runs = [layout.run(recipe, seed) for seed in range(config.recipes[recipe].meta_seeds)]
        files = [layout.rate(recipe), *(run / name for run in runs for name in RUN)]
        yield f"recipes.{recipe}", digest(training_inputs(config, recipe)), files
    for experiment, settings in config.experiments.items():
        for baseline in settings.baselines:
            tuned = tuning_inputs(config, experiment, baseline)
            inputs = digest({name: tuned[name] for name in tuned if name != "horizon"})
            key = f"experiments.{experiment} with {baseline}"
            yield key, inputs, [layout.tuning(experiment, baseline)]


def keep(config: Config, to: Path, root: Path = Path()) -> None:
    """Copy a finished run's trained optimizers and tuned rates; what was there before goes.

    Args:
        config: of the run.
        to: the folder.
        root: the run's working directory.

    Raises:
        UserError: a file of the run is missing.
    """
    results = Layout(config.run_name).results
    kept = {}
    if missing := [f for _, _, files in stages(config) for f in files if not (root / f).is_file()]:
        raise UserError(f"{root / missing[0]} is missing: run snakemake, which knows what makes it")
    shutil.rmtree(to, ignore_errors=True)
    for key, inputs, files in stages(config):
        digests = {}
        for file in files:
            content, name = (root / file).read_bytes(), file.relative_to(results)
            write_bytes(to / name, content)
            digests[name.as_posix()] = hashlib.sha256(content).hexdigest()
        kept[key] = {"inputs": inputs, "files": digests}
    write_json(to / CONTENTS, kept)


def check(config: Config, kept: Path | None = None) -> dict[str, Any]:
    """The table of contents, once it is sure that it has all that a run needs.

    Raises:
        UserError: something is not kept, or was made with other settings.
    """
    kept = kept or folder()
    try:
        contents: dict[str, Any] = json.loads((kept / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(
            f"optimizers = released: {kept / CONTENTS} is missing or damaged: get it from the "
            "repository again (git checkout), or meta-train (optimizers = trained)"
        ) from None
    results = Layout(config.run_name).results
    for key, inputs, files in stages(config):
        names = {file.relative_to(results).as_posix() for file in files}
        if names - contents.get(key, {"files": {}})["files"].keys():
            why = "is not among the released ones"
        elif contents[key]["inputs"] != inputs:
            why = "was released with other settings than this configuration's"
        else:
            continue
        raise UserError(
            f"optimizers = released: {key} {why}: use the protocol default as it is, or "
            "meta-train (optimizers = trained)"
        )
    return contents


def take(config: Config, kept: Path | None = None) -> None:
    """Copy all that a run needs from the record to where meta-training and tuning would put it.

    Raises:
        UserError: see `check`; or a file is not what was kept.
    """
    kept = kept or folder()
    contents = check(config, kept)
    results = Layout(config.run_name).results
    for key, _, files in stages(config):
        for file in files:
            name = file.relative_to(results)
            write_bytes(file, _read(kept / name, contents[key]["files"][name.as_posix()]))


def _read(path: Path, sha256: str) -> bytes:
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(
            f"{path} is missing or not what was released: get it from the repository again "
            "(git checkout)"
        )
    return content
