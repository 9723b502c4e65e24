"""One file over https: bounded in time and size, verified, its failures told in a few words."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request

from l2l.data.sources import SourceError, TransientSourceError, with_retries

SILENT_SECONDS = 20.0  # how long the server may say nothing
TOTAL_SECONDS = 120.0  # how long one try may take
LARGEST = 64 << 20
CHUNK = 1 << 16


def download(url: str, sha256: str) -> bytes:
    """Download a file and verify it.

    Args:
        url: its address.
        sha256: hex digest that its content must have.

    Returns:
        The content.

    Raises:
        SourceError: the server does not have it or sends something else; TransientSourceError if it
            did not answer, or not to the end, at the last of several tries.
    """
    return with_retries(lambda: _download(url, sha256))


def _download(url: str, sha256: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=SILENT_SECONDS) as answer:
            content = _read(answer)
            promised = int(answer.headers.get("Content-Length", len(content)))
    except urllib.error.HTTPError as error:
        busy = error.code in (408, 429) or error.code >= 500
        kind = TransientSourceError if busy else SourceError
        raise kind(f"{url}: HTTP {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        # urllib wraps what happens before the answer, not what happens in its middle.
        reason = getattr(error, "reason", error)
        said = getattr(reason, "strerror", None) or str(reason) or repr(reason)
        raise TransientSourceError(f"{url}: {said}") from error
    if len(content) < promised:
        raise TransientSourceError(f"{url}: {len(content)} bytes of {promised} arrived")
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise SourceError(f"{url}: SHA-256 {digest[:12]}..., not {sha256[:12]}...")
    return content


def _read(answer: http.client.HTTPResponse) -> bytes:
    deadline = time.monotonic() + TOTAL_SECONDS
    content = bytearray()
    # read1 returns what has come: a server that sends byte after byte does not hold us up.
    while part := answer.read1(CHUNK):
        content += part
        if len(content) > LARGEST:
            raise http.client.HTTPException(f"more than {LARGEST >> 20} MiB")
        if time.monotonic() > deadline:
            raise TimeoutError(f"not there after {TOTAL_SECONDS:g} s")
    return bytes(content)
