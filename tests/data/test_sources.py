from __future__ import annotations

import time

import pytest

from l2l.data import sources
from l2l.data.sources import SourceError, TransientSourceError, with_retry


@pytest.mark.parametrize(
    ("failures", "calls"),
    [([], 1), ([TransientSourceError], 2), ([TransientSourceError] * 2, 2), ([SourceError], 1)],
)
def test_a_failure_that_may_pass_is_tried_once_more(
    failures: list[type[SourceError]], calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    left, said = [*failures], []

    def read() -> str:
        said.append(f"failure {len(said) + 1}")
        if left:
            raise left.pop(0)(said[-1])
        return "answer"

    if len(failures) < calls:
        assert with_retry(read) == "answer"
    else:
        with pytest.raises(SourceError, match=f"failure {calls}"):
            with_retry(read)
    assert len(said) == calls
    assert waits == [sources.WAIT_SECONDS] * (calls - 1)


def test_reasons_are_one_short_line() -> None:
    assert str(SourceError("two\n  lines\t here ")) == "two lines here"
    assert len(str(SourceError("word " * 1000))) == sources.REASON_CHARACTERS
