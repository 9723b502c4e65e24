import io
import tarfile
from pathlib import Path

import pytest

from l2l.data.archive import read_members
from l2l.data.sources import SourceError


def archive(path: Path, members: list[tarfile.TarInfo], content: bytes = b"data") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return path


def test_only_the_named_members_are_read(tmp_path: Path) -> None:
    members = [tarfile.TarInfo("package/wanted"), tarfile.TarInfo("../outside")]
    made = archive(tmp_path / "a.tgz", members)
    assert read_members(made, ["package/wanted"]) == {"package/wanted": b"data"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_link_in_a_members_place_is_refused(tmp_path: Path, kind: bytes) -> None:
    secret = tarfile.TarInfo("secret")
    link = tarfile.TarInfo("package/wanted")
    link.type = kind
    link.linkname = "secret"
    with pytest.raises(SourceError, match="not a regular file"):
        read_members(archive(tmp_path / "a.tgz", [secret, link]), ["package/wanted"])


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tgz", [tarfile.TarInfo("package/other")])
    with pytest.raises(SourceError, match="package/wanted"):
        read_members(made, ["package/wanted"])


@pytest.mark.parametrize("keep", [0, 10, 60])
def test_a_damaged_archive_is_a_source_error(tmp_path: Path, keep: int) -> None:
    made = archive(tmp_path / "a.tgz", [tarfile.TarInfo("package/wanted")], bytes(range(256)))
    made.write_bytes(made.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"a\.tgz"):
        read_members(made, ["package/wanted"])
