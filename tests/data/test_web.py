"""download, from servers on this machine that behave and misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from tests.data.helpers import Web

from l2l.data import sources
from l2l.data import web as web_module
from l2l.data.sources import SourceError, TransientSourceError
from l2l.data.web import download

CONTENT = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def server(*pieces: bytes, pause: float = 0.0) -> Iterator[tuple[str, list[float]]]:
    """Answers every connection with the pieces, a pause after each, then closes it."""
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
                        time.sleep(pause)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/file", connections
        listening.shutdown(socket.SHUT_RDWR)


def head(status: str, length: int) -> bytes:
    return f"HTTP/1.0 {status}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_file_arrives_whole(web: Web) -> None:
    (web.folder / "file").write_bytes(CONTENT)
    assert download(f"{web.url}file", DIGEST) == CONTENT
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
    assert len(connections) == sources.TRIES


def test_other_bytes_are_refused(web: Web) -> None:
    (web.folder / "file").write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(SourceError, match=r"SHA-256 \w{12}\.\.\., not ") as caught:
        download(f"{web.url}file", DIGEST)
    assert not isinstance(caught.value, TransientSourceError)
    assert len(web.requests) == 1


def test_a_connection_that_ends_early_is_tried_again(no_waiting: None) -> None:
    with (
        server(head("200 OK", len(CONTENT)), CONTENT[:1000]) as (url, connections),
        pytest.raises(TransientSourceError, match=f"1000 bytes of {len(CONTENT)} arrived"),
    ):
        download(url, DIGEST)
    assert len(connections) == sources.TRIES


def test_a_silent_server_is_left(no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "SILENT_SECONDS", 0.1)
    start = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(TransientSourceError, match="timed out"),
    ):
        download(f"http://127.0.0.1:{silent.getsockname()[1]}/file", DIGEST)
    assert time.monotonic() - start < 5


def test_a_server_that_sends_byte_after_byte_is_left(
    no_waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_module, "TOTAL_SECONDS", 0.2)
    monkeypatch.setattr(sources, "TRIES", 1)
    start = time.monotonic()
    trickle = [CONTENT[:1]] * 400
    with (
        server(head("200 OK", len(CONTENT)), *trickle, pause=0.02) as (url, _),
        pytest.raises(TransientSourceError, match=r"not there after 0\.2 s"),
    ):
        download(url, DIGEST)
    assert time.monotonic() - start < 4


def test_a_file_without_end_is_left(no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_module, "LARGEST", 1 << 20)
    monkeypatch.setattr(sources, "TRIES", 1)
    with (
        server(b"HTTP/1.0 200 OK\r\n\r\n", *[bytes(1 << 18)] * 40) as (url, _),
        pytest.raises(TransientSourceError, match="more than 1 MiB"),
    ):
        download(url, DIGEST)


def test_no_server_is_said(closed_port: str, no_waiting: None) -> None:
    with pytest.raises(TransientSourceError, match=f"{closed_port}file: Connection refused"):
        download(f"{closed_port}file", DIGEST)
