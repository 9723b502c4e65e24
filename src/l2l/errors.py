"""Errors for people: one line that says what was wrong, where, and what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from typing import Any


class UserError(Exception):
    """Something the user can mend; commands show its message as one line, without a traceback."""


def in_words(error: UserError | OSError) -> str:
    """The line that commands show; for an error of the operating system with the file's name."""
    if not isinstance(error, OSError) or not error.filename:
        return str(error)
    message = f"{error.filename}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message += "; make room, then run the same command again"
    return message


def known(kind: str, name: str, names: Iterable[str]) -> str:
    """The name itself, if it is one of the names.

    Args:
        kind: what the name is of, for the message.
        name: as the user typed it.
        names: the ones that exist.

    Raises:
        UserError: it is none of them; the message has the closest one and all others.
    """
    names = list(names)
    if name in names:
        return name
    suggestion = did_you_mean(name, names)
    raise UserError(f"no {kind} {name!r}{suggestion}; there are: {', '.join(names)}")


def did_you_mean(name: object, among: Iterable[Any]) -> str:
    """ " (did you mean 'x'?)" with the closest name, or "" if none is close."""
    close = difflib.get_close_matches(str(name), map(str, among), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
