"""What torchvision's downloads lack: a timeout, and silence on stderr."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator

SOCKET_SECONDS = 20.0


@contextlib.contextmanager
def quiet_with_timeout() -> Iterator[None]:
    """Let torchvision download inside this context.

    A server that says nothing for SOCKET_SECONDS raises there instead of hanging for ever, and
    progress bars do not reach stderr, which belongs to messages here.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SOCKET_SECONDS)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
