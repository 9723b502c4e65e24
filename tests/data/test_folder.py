import os
from pathlib import Path

import pytest

from l2l.data.folder import data_directory, prepare_folder
from l2l.errors import UserError


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


def test_paths_become_absolute_home_is_expanded_and_data_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("L2L_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert data_directory("~/sets") == tmp_path / "home" / "sets"
    assert data_directory("sets") == tmp_path / "sets"
    assert data_directory(None) == tmp_path / "data"


def test_two_missing_levels_are_made_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mnist"
    prepare_folder(folder)
    prepare_folder(folder)
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_missing_grandparent_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "typo" / "data" / "mnist"
    with pytest.raises(UserError, match=rf"{folder}: No such file .*{tmp_path}/typo/data.*make it"):
        prepare_folder(folder)


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(UserError, match="cannot write into"):
        prepare_folder(tmp_path / "data" / "mnist")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_write_permission_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    with pytest.raises(UserError, match=r"Permission denied .*make it"):
        prepare_folder(folder)
