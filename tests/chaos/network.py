"""A process without a network."""

from __future__ import annotations

import subprocess

import pytest

ALONE = (("unshare", "--net"), ("unshare", "--map-root-user", "--net"))  # root, other users


def without_network() -> tuple[str, ...]:
    """What goes before a command so that it sees no network; skips where that cannot be had."""
    for words in ALONE:
        try:
            if subprocess.run([*words, "true"], capture_output=True).returncode == 0:
                return words
        except FileNotFoundError:
            break
    pytest.skip("a process without a network needs Linux's unshare, and the right to use it")
