"""Progress of long work: a bar on a terminal, a line now and then in a log; time left in both."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Counts `total` units of work under a label.

    Args:
        label: what is being done.
        total: units of work in all.
        done: units done in an earlier run that is now resumed.
        unit: the name of a unit.
    """

    def __init__(self, label: str, total: int, done: int = 0, unit: str = "episode") -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done = self._first = done
        self._start = self._last_line = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=done, desc=label, unit=unit, leave=True)

    def advance(self, note: str = "") -> None:
        """One more unit is done; `note` says how it stands."""
        self._done += 1
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()
            return
        now = time.monotonic()
        if now - self._last_line < SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._last_line = now
        left = (now - self._start) / (self._done - self._first) * (self._total - self._done)
        self.say(f"{self._unit} {self._done}/{self._total}, {_clock(left)} left. {note}".rstrip())

    def say(self, message: str) -> None:
        """A line that stays."""
        line = f"{self._label}: {message}"
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the terminal in order."""
        if self._bar is not None:
            self._bar.close()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
