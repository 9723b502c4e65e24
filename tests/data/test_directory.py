from pathlib import Path

import pytest

from l2l.data.directory import data_directory


def test_environment_wins_over_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L2L_DATA_DIR", str(tmp_path / "machine"))
    assert data_directory(tmp_path / "config") == tmp_path / "machine"


@pytest.mark.parametrize("environment", [None, ""])
def test_config_wins_over_default(
    environment: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("L2L_DATA_DIR", raising=False)
    if environment is not None:
        monkeypatch.setenv("L2L_DATA_DIR", environment)
    assert data_directory(str(tmp_path / "config")) == tmp_path / "config"


def test_default_is_data_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("L2L_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert data_directory(None) == tmp_path / "data"


def test_home_is_expanded_and_relative_paths_become_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("L2L_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert data_directory("~/sets") == tmp_path / "home" / "sets"
    assert data_directory("sets") == tmp_path / "sets"
