"""Files over https, downloaded by pooch: verified, tried again, with short reasons for failures."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from l2l.data.sources import SourceError, TransientSourceError, with_retries

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
            if it did not answer, or not to the end, at the last of several tries.
    """
    return with_retries(lambda: _download(url, sha256))


def _download(url: str, sha256: str | None) -> bytes:
    import pooch  # only where something is fetched
    import requests

    pooch.get_logger().setLevel(logging.WARNING)  # messages to the user are ours
    get = pooch.HTTPDownloader(timeout=SILENT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="l2l-https-") as folder:
        try:
            return Path(pooch.retrieve(url, sha256, "file", folder, downloader=get)).read_bytes()
        except requests.HTTPError as error:
            response = error.response
            if response is None:
                raise
            busy = response.status_code in (408, 429) or response.status_code >= 500
            kind = TransientSourceError if busy else SourceError
            raise kind(f"{url}: HTTP {response.status_code} {response.reason}") from error
        except OSError as error:  # requests' exceptions too
            raise TransientSourceError(f"{url}: {_cause(error)}") from error
        except ValueError as error:  # pooch's, of another digest
            raise SourceError(f"{url}: another file than the one with SHA-256 {sha256}") from error


def _cause(error: BaseException) -> str:
    """What happened in the end, without the addresses that each layer of requests adds."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return getattr(error, "strerror", None) or str(error) or repr(error)
