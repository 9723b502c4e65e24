"""A Jupyter kernel that is the running interpreter, whatever kernels the user has installed.

Jupyter looks a kernel up by its name, in the user's folders first: "python3" there may be any
Python, without this package or with another version of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


@contextmanager
def this_interpreter() -> Iterator[type[AsyncKernelManager]]:
    """A kernel manager that starts sys.executable, with none of the user's IPython settings.

    Yields:
        A class for nbclient's `kernel_manager_class`.
    """
    with TemporaryDirectory(prefix="l2l-ipython-") as folder:
        spec = KernelSpec(
            argv=[
                *(sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"),
                "--log-level=ERROR",
            ],
            display_name="Python 3",
            language="python",
            # No startup files of the user's, and no history database.
            env={"IPYTHONDIR": folder, "PYTHONSTARTUP": ""},
        )

        class ThisInterpreter(AsyncKernelManager):
            """Starts the interpreter above instead of a kernel found by name."""

            @property
            def kernel_spec(self) -> KernelSpec:
                return spec

        yield ThisInterpreter
