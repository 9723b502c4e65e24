"""A copy of the workflow in a folder of its own, and one smoke run of the whole DAG in it."""

from pathlib import Path

import pytest
from tests.workflow.harness import SMOKE, Workflow, copy_workflow


@pytest.fixture
def workflow(tmp_path: Path, data_directory: Path) -> Workflow:
    """The workflow in an empty folder."""
    return copy_workflow(tmp_path, data_directory)


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, data_directory: Path) -> Workflow:
    """The workflow after one smoke run of everything. Tests must leave it as they found it.

    For test_smoke_run.py alone: those of another file would make it again, on another worker.
    """
    workflow = copy_workflow(tmp_path_factory.mktemp("smoke"), data_directory)
    done = workflow.run(*SMOKE)
    assert done.returncode == 0, done.stderr[-5000:]
    return workflow
