"""Progress of long work: a bar on a terminal, lines in a log, both with the time left."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Progress of one piece of long work, on standard error.

    On a terminal it is a bar. Elsewhere it is a line every 15 seconds and one at the end.

    Args:
        label: name of the work, at the start of each line.
        total: units of work in all.
        done: units that an earlier, killed process has done.
        unit: name of a unit.

    Example:
        >>> progress = Progress("train mnist", total=100)
        >>> for episode in range(100):
        ...     progress.advance(f"loss {0.1:.3g}")
        >>> progress.close()
    """

    def __init__(self, label: str, total: int, done: int = 0, unit: str = "episode") -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done = self._first = done
        self._start = self._last_line = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=done, desc=label, unit=unit, leave=True)

    def advance(self, note: str = "") -> None:
        """Count one more unit; `note` is shown beside the count, for example the current loss."""
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
        """Print a line that stays."""
        line = f"{self._label}: {message}"
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the bar, so that what is printed next begins on a line of its own."""
        if self._bar is not None:
            self._bar.close()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
