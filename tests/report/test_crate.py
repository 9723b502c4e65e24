"""A run as an RO-Crate. `rocrate-validator validate` (roc-validator) accepts what it writes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l2l.config import Config
from l2l.errors import UserError
from l2l.report import free_pictures
from l2l.report.crate import crate
from l2l.results import Results

from .conftest import CHECKOUT
from .test_record import painted


@pytest.fixture
def checkout(copy: Path) -> Path:
    shutil.copytree(CHECKOUT / "workflow", copy / "workflow")
    return copy


def named(value: Any) -> Iterator[str]:
    """The ids that an entity names."""
    if isinstance(value, dict):
        yield from [value["@id"]] if set(value) == {"@id"} else named([*value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from named(each)


def test_the_crate_describes_every_file_and_the_run(
    checkout: Path, config: Config, tmp_path_factory, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(free_pictures, "paint", painted)
    folder = tmp_path_factory.mktemp("crate")
    crate(Results(config, checkout), folder)
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    files -= {"ro-crate-metadata.json"}
    assert {"workflow/Snakefile", "config.yaml", "claims.csv", "mnist.png"} <= files
    assert {*named(entities["./"]["hasPart"])} == files <= {*entities}
    outside = {name for name in named(graph) if name not in entities}
    assert all(name.startswith(("http://", "https://")) for name in outside)
    assert {"ComputationalWorkflow"} < {*entities["workflow/Snakefile"]["@type"]}
    run = entities["#run"]
    assert run["instrument"] == entities["./"]["mainEntity"] == {"@id": "workflow/Snakefile"}
    assert run["startTime"] <= run["endTime"] == entities["./"]["datePublished"]
    assert {"@id": "claims.csv"} in run["result"]
    assert not [name for name in named(run["result"]) if name.startswith("workflow/")]
    assert entities["claims.csv"]["contentSize"] == (folder / "claims.csv").stat().st_size


def test_a_folder_with_files_is_refused_and_so_is_a_run_without_its_workflow(
    results: Results, tmp_path: Path
):
    with pytest.raises(UserError, match="workflow/Snakefile: call l2l crate in a checkout"):
        crate(results, tmp_path / "crate")
    (tmp_path / "other.txt").touch()
    with pytest.raises(UserError, match="is not empty: name a new folder"):
        crate(results, tmp_path)
