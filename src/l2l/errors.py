"""The one exception that is meant for people: shown as a single line, without a traceback."""


class UserError(Exception):
    """Something the user can mend. The message says what was wrong, where, and what to do."""
