"""download, from servers on this machine that behave and misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from tests.data.helpers import Web, digest

from l2l.data import https
from l2l.data.https import download
from l2l.data.sources import SourceError, TransientSourceError

CONTENT = bytes(range(256)) * 1000
DIGEST = digest(CONTENT)


@contextlib.contextmanager
def server(*pieces: bytes) -> Iterator[tuple[str, list[float]]]:
    """Answers every connection with the pieces, then closes it."""
    connections: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connections.append(time.monotonic())
                with connection, contextlib.suppress(OSError):
                    connection.recv(4096)
                    for piece in pieces:
                        connection.sendall(piece)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/file", connections
        listening.shutdown(socket.SHUT_RDWR)


def head(status: str, length: int) -> bytes:
    return f"HTTP/1.0 {status}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_file_arrives_whole(web: Web) -> None:
    (web.folder / "file").write_bytes(CONTENT)
    assert download(f"{web.url}/file", DIGEST) == CONTENT
    assert len(web.requests) == 1


def test_a_file_that_is_not_there_is_asked_for_once(no_waiting: None) -> None:
    with (
        server(head("404 Not Found", 0)) as (url, connections),
        pytest.raises(SourceError, match=rf"{url}: HTTP 404 Not Found") as caught,
    ):
        download(url, DIGEST)
    assert not isinstance(caught.value, TransientSourceError)
    assert len(connections) == 1


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_server_is_asked_again(status: str, no_waiting: None) -> None:
    with (
        server(head(status, 0)) as (url, connections),
        pytest.raises(TransientSourceError, match=status),
    ):
        download(url, DIGEST)
    assert len(connections) == 2


def test_other_bytes_are_refused(web: Web) -> None:
    (web.folder / "file").write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(SourceError, match="another file than the one with SHA-256") as caught:
        download(f"{web.url}/file", DIGEST)
    assert not isinstance(caught.value, TransientSourceError)
    assert len(web.requests) == 1


def test_a_connection_that_ends_early_is_tried_again(no_waiting: None) -> None:
    with (
        server(head("200 OK", len(CONTENT)), CONTENT[:1000]) as (url, connections),
        pytest.raises(TransientSourceError, match="1000 bytes read, 255000 more expected"),
    ):
        download(url, DIGEST)
    assert len(connections) == 2


def test_a_silent_server_is_left(no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "SILENT_SECONDS", 0.1)
    start = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(TransientSourceError, match="timed out"),
    ):
        download(f"http://127.0.0.1:{silent.getsockname()[1]}/file", DIGEST)
    assert time.monotonic() - start < 5


def test_no_server_is_said(closed_port: str, no_waiting: None) -> None:
    with pytest.raises(TransientSourceError, match=f"{closed_port}/file: Connection refused"):
        download(f"{closed_port}/file", DIGEST)


def test_nothing_is_said_but_by_the_caller(web: Web, capfd: pytest.CaptureFixture) -> None:
    (web.folder / "file").write_bytes(CONTENT)
    assert download(f"{web.url}/file") == CONTENT
    assert capfd.readouterr() == ("", "")
