"""What holds for every data set of labelled images, on a toy set that comes from a server here."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data import toy
from tests.data.helpers import Web, contents, digest, fill, flipped, times
from tests.data.toy import ARRAYS, CONTENTS, TOY
from typer.testing import CliRunner

from l2l.cli.app import app
from l2l.data.folder import CorruptError
from l2l.errors import UserError
from l2l.registry import DATASETS


@pytest.fixture
def served(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The server with the toy set's files."""
    fill(web.folder, CONTENTS)
    monkeypatch.setattr(toy, "SITE", web.url)
    return web


@pytest.fixture
def unserved(closed_port: str, no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(toy, "SITE", closed_port)
    return closed_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "toy"


def is_right(directory: Path) -> bool:
    loaded = TOY.load(directory)
    return all(
        np.array_equal(getattr(loaded, name).numpy(), array) for name, array in ARRAYS.items()
    )


def test_a_line_of_the_registry_makes_a_command(
    folder: Path, served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "toy", "tests.data.toy:TOY")
    monkeypatch.chdir(folder.parent.parent)
    monkeypatch.setenv("L2L_DATA_DIR", str(folder.parent))
    ran = CliRunner().invoke(app, ["data", "toy", "--protocol", "smoke"])
    assert ran.exit_code == 0, ran.output
    record = json.loads(Path("results/smoke/data/toy.json").read_text())
    assert record == {
        "name": "toy",
        "source": "its site",
        "stand_in": None,
        "digests": {name: digest(array.tobytes()) for name, array in ARRAYS.items()},
    }
    assert contents(folder) == CONTENTS
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((folder / "train-labels").stat().st_mode) == 0o666 & ~umask


def test_plain_and_gzipped_files_may_be_mixed_and_nothing_is_written(
    folder: Path, unserved: str, capsys: pytest.CaptureFixture
) -> None:
    names = list(CONTENTS)
    fill(folder, {name: CONTENTS[name] for name in names[:2]})
    fill(folder, {name: CONTENTS[name] for name in names[2:]}, ".gz")
    before = times(folder)
    assert is_right(folder.parent)
    assert TOY.fetch(folder.parent).source == "local"
    assert times(folder) == before
    assert capsys.readouterr().err == ""


def test_tensors_have_their_types(folder: Path) -> None:
    loaded = TOY.load(fill(folder, CONTENTS).parent)
    assert loaded.train_images.dtype == loaded.test_images.dtype == torch.uint8
    assert loaded.train_labels.dtype == loaded.test_labels.dtype == torch.int64


def test_an_absent_directory_is_filled_once(folder: Path, served: Web) -> None:
    assert is_right(folder.parent)
    assert is_right(folder.parent)
    assert TOY.fetch(folder.parent).source == "local"
    assert len(served.requests) == 4


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("damage", [flipped, lambda content: content[:-1], lambda content: b""])
def test_a_corrupt_file_is_named_in_one_line_and_mended(
    suffix: str,
    damage: Callable[[bytes], bytes],
    folder: Path,
    served: Web,
    capsys: pytest.CaptureFixture,
) -> None:
    path = fill(folder, CONTENTS, suffix) / f"train-labels{suffix}"
    if suffix and damage is flipped:  # one label changed: only the digest can tell
        path.write_bytes(gzip.compress(flipped(CONTENTS["train-labels"])))
    else:
        path.write_bytes(damage(path.read_bytes()))
    assert TOY.fetch(folder.parent).source == "its site and local"
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "corrupt" in line]
    assert str(path) in line
    assert (folder / "train-labels").read_bytes() == CONTENTS["train-labels"]
    assert TOY.fetch(folder.parent).source == "local"
    assert capsys.readouterr().err == ""


def test_a_good_gzipped_copy_mends_a_corrupt_plain_one_without_a_network(
    folder: Path, unserved: str, capsys: pytest.CaptureFixture
) -> None:
    fill(folder, CONTENTS, ".gz")
    (folder / "test-labels").write_bytes(CONTENTS["test-labels"][:-1])
    assert TOY.fetch(folder.parent).source == "local"
    assert f"{folder / 'test-labels'} is corrupt" in capsys.readouterr().err
    assert (folder / "test-labels").read_bytes() == CONTENTS["test-labels"]


def test_a_source_with_one_wrong_pixel_is_an_error_and_nothing_is_written(
    folder: Path, served: Web
) -> None:
    fill(served.folder, {"test-images": flipped(CONTENTS["test-images"])})
    with pytest.raises(UserError, match="its site: test-images: SHA-256"):
        TOY.fetch(folder.parent)
    assert contents(folder) == {}


def test_arrays_with_another_digest_are_refused_though_every_file_is_right(folder: Path) -> None:
    other = dataclasses.replace(TOY, digests={"train_images": "0" * 64})
    with pytest.raises(CorruptError, match="train_images"):
        other.fetch(fill(folder, CONTENTS).parent)


def test_whatever_goes_wrong_in_a_source_is_its_failure(
    folder: Path, unserved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "download", lambda url: gzip.decompress(b"no\ngzip"))
    with pytest.raises(UserError, match=r"its site: BadGzipFile: .*its package: there is no"):
        TOY.fetch(folder.parent)


def test_nothing_reachable_is_one_line_that_says_what_was_tried_and_what_to_do(
    folder: Path, unserved: str
) -> None:
    fill(folder, {"test-labels": CONTENTS["test-labels"], "train-labels": b"rubbish"})
    with pytest.raises(UserError) as caught:
        TOY.load(folder.parent)
    message = str(caught.value)
    assert "\n" not in message
    assert "train-images is missing, train-labels is corrupt" in message
    assert "test-labels is" not in message
    assert f"its site: {unserved}/train-images: Connection refused" in message
    assert "its package: there is no package" in message
    by_hand = message.partition("by hand")[2]
    for part in (*CONTENTS, ".gz", str(folder), "L2L_DATA_DIR", "toy/"):
        assert part in by_hand
    assert (folder / "train-labels").read_bytes() == b"rubbish"  # as it was


def test_a_directory_that_cannot_be_made_is_an_error_before_any_download(
    tmp_path: Path, served: Web
) -> None:
    with pytest.raises(UserError, match=r"No such file .*typo/data.*L2L_DATA_DIR"):
        TOY.load(tmp_path / "typo" / "data")
    assert served.requests == []
