"""The comparison itself: what it must see, and what it must not."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.compare import compare


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "results/smoke" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_times_are_no_difference_and_all_else_is(tmp_path: Path) -> None:
    same = {"a.csv": "x,seconds\n1.10,3\n", "b.json": '{"x": [{"seconds": 1}]}', "c.txt": "c"}
    other = {"a.csv": "x,seconds\n1.10,4\n", "b.json": '{"x": [{"seconds": 2}]}', "c.txt": "c"}
    found = compare(written(tmp_path / "1", same), written(tmp_path / "2", other), "smoke")
    assert found.same
    assert (len(found.equal), len(found.equal_but_times)) == (1, 2)
    changed = {"a.csv": "x,seconds\n1.1,3\n", "b.json": '{"x": []}', "c.txt": "d", "logs/l": "l"}
    found = compare(tmp_path / "1", written(tmp_path / "3", changed), "smoke")
    assert not found.same
    assert len(found.different) == 3


def test_a_missing_file_is_a_difference_unless_a_part_was_run(tmp_path: Path) -> None:
    one = written(tmp_path / "1", {"a.txt": "a", "b.txt": "b"})
    other = written(tmp_path / "2", {"a.txt": "a"})
    assert not compare(one, other, "smoke").same
    assert compare(one, other, "smoke", whole=False).same
    assert not compare(other, one, "smoke", whole=False).same
