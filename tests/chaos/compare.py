"""Two runs, bit for bit: every file, but for what tells times."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd

# Not compared at all: pattern of the path in results/<protocol> or figures/<protocol> -> why.
LEFT_OUT = {
    "logs/*": "what jobs said, with the time that is left",
    "overhead.p??": "a figure of times",
    "reports/*": "say how long meta-training took; what else they show is in tables and figures",
    "index.html": "the same",
}
SECONDS = ("seconds",)  # columns of tables, and keys of JSON files
TIMED_CLAIMS = ("C14", "C15")  # rows of claims.csv: how long a step takes


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes:
        equal: files with the same bytes.
        equal_but_times: tables that are the same without the columns that tell times.
        different: files that differ, or that one of the runs lacks, with the difference.
    """

    equal: list[str]
    equal_but_times: list[str]
    different: list[str]

    @property
    def same(self) -> bool:
        """Whether nothing differs, and there was something to compare."""
        return bool(self.equal) and not self.different

    def lines(self) -> Iterable[str]:
        """The outcome in words."""
        yield f"{len(self.equal)} files have the same bytes"
        yield f"{len(self.equal_but_times)} are the same but for times: " + ", ".join(
            self.equal_but_times
        )
        yield f"{len(self.different)} differ"
        yield from (f"  {name}" for name in self.different)


def compare(one: Path, other: Path, protocol: str, whole: bool = True) -> Comparison:
    """Compare the results and figures of two runs.

    Args:
        one, other: the folders that they ran in.
        protocol: whose outputs.
        whole: False where `other` ran only a part: what only `one` has is no difference then.
    """
    found = Comparison([], [], [])
    for part in ("results", "figures"):
        here, there = (_files(folder / part / protocol) for folder in (one, other))
        for name in sorted({*here, *there} if whole else there):
            shown = f"{part}/{name}"
            if name not in here or name not in there:
                found.different.append(f"{shown}: only in {one if name in here else other}")
            elif here[name].read_bytes() == there[name].read_bytes():
                found.equal.append(shown)
            elif without_times(here[name]) == without_times(there[name]):
                found.equal_but_times.append(shown)
            else:
                found.different.append(shown)
    return found


def _files(folder: Path) -> dict[str, Path]:
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path
        for name, path in paths.items()
        if not any(fnmatch(name, pattern) for pattern in LEFT_OUT)
    }


def without_times(path: Path) -> Any:
    """The content of a table or a JSON file without what tells times; of others, their bytes."""
    content = path.read_bytes()
    if path.suffix == ".csv":
        table = pd.read_csv(io.BytesIO(content), dtype=str)  # as written: every digit counts
        if path.name == "claims.csv":
            table = table[~table["claim"].isin(TIMED_CLAIMS)]
        return table.drop(columns=list(SECONDS), errors="ignore").to_csv(index=False)
    if path.suffix == ".json":
        return _strip(json.loads(content))
    return content


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strip(inner) for key, inner in value.items() if key not in SECONDS}
    return [_strip(inner) for inner in value] if isinstance(value, list) else value
