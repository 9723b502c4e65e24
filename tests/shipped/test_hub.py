"""Learned optimizers from the Hugging Face Hub, which a server on this machine stands in for."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import l2l
from l2l.errors import UserError
from l2l.shipped import hub, optimizer_path

Use = Callable[..., subprocess.CompletedProcess[str]]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = """
import sys, torch, l2l
weight = torch.nn.Parameter(torch.ones(3))
optimizer = l2l.LearnedOptimizer([weight], sys.argv[1], steps=10)
weight.grad = torch.ones(3)
optimizer.step()
print(weight.tolist())
l2l.LearnedOptimizer([weight], steps=10).load_state_dict(optimizer.state_dict())  # it knows whose
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """What huggingface-hub asks for: the files of the repository me/mine."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, body: bool) -> None:
        content, headers = b"", {}
        path = self._folder / self.path.rpartition("/")[2]
        if self.path.startswith("/me/mine/resolve/") and path.exists():
            content = path.read_bytes()
            etag = hashlib.sha256(content).hexdigest()
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
        self.send_response(200 if headers else 404)
        if not headers:
            self.send_header("X-Error-Code", "EntryNotFound")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder as on the hub: the optimizer "quadratics" and its card."""
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copy(optimizer_path("quadratics"), folder / hub.WEIGHTS)
    (folder / hub.CARD).write_text(hub.model_card(str(folder / hub.WEIGHTS)), encoding="utf-8")
    return folder


@pytest.fixture
def use(repository: Path, tmp_path: Path) -> Iterator[Use]:
    """Run the program with an optimizer of the hub."""
    pytest.importorskip("huggingface_hub")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Hub, repository))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "cache")}

    def run(source: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-c", PROGRAM, source]
        return subprocess.run(command, env=environment | more, capture_output=True, text=True)

    yield run
    server.shutdown()


def test_an_optimizer_of_the_hub_is_the_one_that_was_published(use: Use) -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = l2l.LearnedOptimizer([weight], "quadratics", steps=10)
    weight.grad = torch.ones(3)
    optimizer.step()
    done = use("hf:me/mine")
    assert done.stdout == f"{weight.tolist()}\n", done.stderr
    assert not done.stderr
    offline = use("hf:me/mine@main", HF_HUB_OFFLINE="1")
    assert offline.stdout == done.stdout, offline.stderr


def test_what_is_refused_says_why(use: Use, repository: Path) -> None:
    def error(source: str) -> str:
        done = use(source)
        assert not done.stdout
        return str(done.stderr.splitlines()[-1])

    assert "hf:me/other" in error("hf:me/other")
    assert "hf:/" in error("hf:/")
    (repository / hub.WEIGHTS).write_bytes(b"changed")
    assert "it is damaged, or was changed after `l2l card` made its card" in error("hf:me/mine")
    (repository / hub.CARD).unlink()
    assert "README.md" in error("hf:me/mine@other")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"pip install 'l2l\[hub\]'"):
        l2l.LearnedOptimizer([torch.nn.Parameter(torch.ones(1))], "hf:me/mine")


def test_a_card_tells_what_the_file_knows() -> None:
    card = hub.model_card("general")
    digest = l2l.released()["general"].digest
    assert f"sha256: {digest}" in card
    assert l2l.released()["general"].fails in card
    assert "| commit | " + l2l.released()["general"].commit in card
