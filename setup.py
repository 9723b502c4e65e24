"""A wheel with compiled kernels: `make wheel`, by L2L_COMPILED=1, on Linux and x86-64.

All else is in pyproject.toml. Without the variable the wheel is the same for every machine.
"""

import importlib.util
import os
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

COMPILED = os.environ.get("L2L_COMPILED") == "1"
KERNELS = Path("l2l", "kernels")


class WithKernels(build_py):
    """The package's files, and a library for each level of x86-64."""

    def run(self) -> None:
        """Copy the files, then compile."""
        super().run()
        if COMPILED and not self.editable_mode:
            path = Path(__file__).parent / "src" / KERNELS / "build.py"
            spec = importlib.util.spec_from_file_location("build_kernels", path)
            build = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(build)
            build.build_shipped(self.build_lib / KERNELS / build.SHIPPED.name)


class ForPlatform(bdist_wheel):
    """A wheel for any Python: the libraries do not use Python's own."""

    def get_tag(self) -> tuple[str, str, str]:
        """The tag without Python's version."""
        return ("py3", "none", super().get_tag()[2])


class Package(Distribution):
    """A package that is for one platform where it has libraries."""

    def has_ext_modules(self) -> bool:
        """Whether the wheel has libraries."""
        return COMPILED


setup(distclass=Package, cmdclass={"build_py": WithKernels, "bdist_wheel": ForPlatform})
