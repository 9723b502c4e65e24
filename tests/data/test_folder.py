import os
from pathlib import Path

import pytest

from l2l.data.folder import prepare_folder
from l2l.errors import UserError


def test_two_missing_levels_are_made_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mnist"
    prepare_folder(folder, "do something")
    prepare_folder(folder, "do something")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_missing_grandparent_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "typo" / "data" / "mnist"
    with pytest.raises(UserError, match=rf"{folder}: there is no folder {tmp_path}/typo; do"):
        prepare_folder(folder, "do something")


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(UserError, match="cannot write into"):
        prepare_folder(tmp_path / "data" / "mnist", "do something")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_write_permission_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    with pytest.raises(UserError, match="Permission denied; do something"):
        prepare_folder(folder, "do something")
