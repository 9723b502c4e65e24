"""The one exception that is meant for people: shown as a single line, without a traceback."""

import errno


class UserError(Exception):
    """Something the user can mend. The message says what was wrong, where, and what to do."""


def in_words(error: UserError | OSError) -> str:
    """That line; of an error of the operating system, what happened to which file."""
    if not isinstance(error, OSError) or not error.filename:
        return str(error)
    told = f"{error.filename}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        told += "; make room, then run the same command again"
    return told
