"""The source of the photographs beyond the user's own folder: their originals, one by one."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from l2l.data.photographs_manifest import SIDE, Photograph
from l2l.data.sources import SourceError, TransientSourceError
from l2l.data.web import download
from l2l.progress import Progress

NAME = "raw.githubusercontent.com"
AT_ONCE = 8
# That many in a row, and the source is given up: without a network, after seconds.
FAILURES_IN_A_ROW = 8
QUALITY = 95


def fetch_photograph(photograph: Photograph) -> bytes:
    """Download an original and make the 128 x 128 JPEG file of it.

    Returns:
        The content of that file.

    Raises:
        SourceError: it cannot be downloaded, or is another file.
    """
    return remake(download(photograph.url, photograph.source_sha256))


def fetch_each(
    photographs: Iterable[Photograph], keep: Callable[[Photograph, bytes], None]
) -> None:
    """Download several at once, with progress; each is handed over as it arrives.

    Args:
        photographs: which.
        keep: called in this thread with a photograph and the content of its file.

    Raises:
        SourceError: one cannot be had, or too many did not arrive; what did has been handed over.
    """
    wanted = list(photographs)
    waiting = iter(wanted)
    running: dict[Future[bytes], Photograph] = {}
    failures: list[TransientSourceError] = []
    in_a_row = 0
    progress = Progress("photographs", len(wanted), unit="photograph")
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        while in_a_row < FAILURES_IN_A_ROW:
            # After a failure the others under way show first whether the network is gone.
            if not in_a_row or not running:
                for photograph in itertools.islice(waiting, AT_ONCE - len(running)):
                    running[pool.submit(fetch_photograph, photograph)] = photograph
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for job in done:
                photograph = running.pop(job)
                try:
                    keep(photograph, job.result())
                except TransientSourceError as error:
                    failures.append(error)
                    in_a_row += 1
                else:
                    in_a_row = 0
                    progress.advance()
    finally:
        pool.shutdown(wait=False)  # what is under way ends by itself, within its timeouts
        progress.close()
    if failures:
        given_up = ", the last of them in a row" if in_a_row >= FAILURES_IN_A_ROW else ""
        raise SourceError(
            f"{len(failures)} of {len(wanted)} did not arrive{given_up}: {failures[0]}"
        )


def remake(original: bytes) -> bytes:
    """The centre of a picture as a JPEG file of 128 x 128 pixels.

    The pixels are taken as they are stored: a rotation in EXIF is left alone, as it was when the
    manifest's files were made.

    Args:
        original: a JPEG or PNG file.

    Returns:
        The JPEG file. Its bytes depend on the versions of Pillow and its JPEG library.

    Raises:
        SourceError: it is no such file.
    """
    from PIL import Image  # comes with torchvision

    made = io.BytesIO()
    try:
        image = Image.open(io.BytesIO(original), formats=["JPEG", "PNG"]).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.crop((left, top, left + side, top + side))
        square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(made, "JPEG", quality=QUALITY)
    except Exception as error:
        # Pillow has no one exception for a damaged file.
        raise SourceError(f"an original is no picture: {error}") from error
    return made.getvalue()
