import time

import pytest

from l2l.data import sources
from l2l.data.sources import SourceError, TransientSourceError, with_retries


class Flaky:
    """Fails in a given way so many times, then answers."""

    def __init__(self, failures: int, kind: type[SourceError]):
        self.failures = failures
        self.kind = kind
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.kind(f"failure {self.calls}")
        return "answer"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    monkeypatch.setattr(sources, "TRIES", 3)
    monkeypatch.setattr(sources, "FIRST_WAIT_SECONDS", 1.5)
    return made


def test_transient_failures_are_retried_with_doubling_waits(waits: list[float]) -> None:
    flaky = Flaky(2, TransientSourceError)
    assert with_retries(flaky) == "answer"
    assert waits == [1.5, 3.0]


def test_tries_are_bounded_and_the_last_reason_is_raised(waits: list[float]) -> None:
    flaky = Flaky(99, TransientSourceError)
    with pytest.raises(TransientSourceError, match="failure 3"):
        with_retries(flaky)
    assert flaky.calls == 3


def test_a_failure_for_good_is_not_retried(waits: list[float]) -> None:
    flaky = Flaky(99, SourceError)
    with pytest.raises(SourceError, match="failure 1"):
        with_retries(flaky)
    assert waits == []


def test_reasons_are_one_short_line() -> None:
    assert str(SourceError("two\n  lines\t here ")) == "two lines here"
    assert len(str(SourceError("word " * 1000))) == sources.REASON_CHARACTERS
