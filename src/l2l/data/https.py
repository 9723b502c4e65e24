"""Files over https, downloaded by pooch: verified, tried again, with short reasons for failures."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from l2l.data.sources import SourceError, TransientSourceError, with_retry

SILENT_SECONDS = 20.0  # how long a server may say nothing


def download(url: str, sha256: str | None = None) -> bytes:
    """Download a file.

    Args:
        url: its address.
        sha256: hex digest that its content must have; None: the caller verifies it.

    Returns:
        The content.

    Raises:
        SourceError: the server does not have the file or sends another one; TransientSourceError
            if it did not answer, or not to the end, and not again either.
    """
    return with_retry(lambda: _download(url, sha256))


def _download(url: str, sha256: str | None) -> bytes:
    import pooch  # only where something is fetched

    pooch.get_logger().setLevel(logging.WARNING)  # messages to the user are ours
    get = pooch.HTTPDownloader(timeout=SILENT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="l2l-https-") as folder:
        try:
            return Path(pooch.retrieve(url, sha256, "file", folder, downloader=get)).read_bytes()
        except OSError as error:  # pooch leaves those of requests as they are
            raise _failure(url, error) from error
        except ValueError as error:  # pooch's, of another digest
            raise SourceError(f"{url}: another file than the one with SHA-256 {sha256}") from error


def _failure(url: str, error: OSError) -> SourceError:
    """The server's answer, or what happened in the end, without what each layer adds to it."""
    response = getattr(error, "response", None)
    if response is not None:
        busy = response.status_code in (408, 429) or response.status_code >= 500
        kind = TransientSourceError if busy else SourceError
        return kind(f"{url}: HTTP {response.status_code} {response.reason}")
    cause: BaseException = error
    while deeper := cause.__cause__ or cause.__context__:
        cause = deeper
    reason = getattr(cause, "strerror", None) or str(cause) or repr(cause)
    return TransientSourceError(f"{url}: {reason}")
