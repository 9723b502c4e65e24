"""The compiled C++ kernels: those of the wheel, or else made for this machine at their first use.

A wheel for Linux on x86-64 has a library for each of two levels of that instruction set. Elsewhere
a cache keeps what was compiled. The file name there has a hash of the sources, the compiler, its
options and the features of the CPU: a home directory that several kinds of machine share holds a
library for each. A library gets its name only when it is complete, so processes may build at the
same time.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SOURCES = tuple(FOLDER / name for name in ("preprocess.cpp", "forward.cpp", "backward.cpp"))
HEADERS = tuple(FOLDER / name for name in ("vectors.h", "preprocess.h", "cell.h", "products.h"))
SHIPPED = FOLDER / "compiled"
# Levels of x86-64, the best first, and the flags of /proc/cpuinfo that tell them.
AVX2 = frozenset(("abm", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"))
AVX512 = frozenset(("avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"))
LEVELS = {"x86-64-v4": AVX2 | AVX512, "x86-64-v3": AVX2}
OPTIONS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-fno-math-errno", "-ffp-contract=fast")
THREADS = "-fopenmp"


class BuildError(Exception):
    """The kernels could not be built or loaded; the message says why, in one line."""


def _cpu_features() -> str:
    """The CPU's model and features, as far as the operating system knows them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
    wanted = ("flags", "Features", "model name", "CPU part")
    return "\n".join([platform.machine(), *sorted({x for x in lines if x.startswith(wanted)})])


def _compiler() -> list[str]:
    """The C++ compiler and its arguments: as CXX has them, or the system's."""
    chosen = os.environ.get("CXX")
    commands = [[chosen], shlex.split(chosen)] if chosen else [["c++"], ["g++"], ["clang++"]]
    for name, *arguments in commands:
        if path := shutil.which(name):
            return [path, *arguments]
    names = chosen or ", ".join(name for (name,) in commands)
    raise BuildError(f"no C++ compiler found (looked for {names} on the PATH)")


def _run(command: list[str]) -> str:
    try:
        english = os.environ | {"LC_ALL": "C"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=english)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{command[0]} could not be run: {error}") from error
    if done.returncode:
        lines = done.stderr.splitlines() or [f"exit status {done.returncode}"]
        first = next((line for line in lines if "error" in line), lines[0])
        raise BuildError(f"{command[0]} failed: {first.strip()[:200]}")
    return done.stdout


def _cache_directory() -> Path:
    """The user's cache folder if it can be written, or else one in the temporary folder."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        directory = Path(home) / "l2l" / "kernels"
        directory.mkdir(parents=True, exist_ok=True)
        if os.access(directory, os.W_OK):
            return directory
    except (OSError, RuntimeError):
        pass
    directory = Path(tempfile.gettempdir()) / f"l2l-kernels-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.lstat().st_uid != os.getuid():  # anybody may put a library there
        raise BuildError(f"{directory} belongs to another user: set XDG_CACHE_HOME")
    return directory


def _instruction_set() -> str:
    """The compiler's option for this machine's CPU: the cache is per kind of CPU."""
    return "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"


def _shipped() -> Path | None:
    """The library that the wheel has for this CPU, if any: the best that it can run."""
    flags = set(_cpu_features().split())
    fits = (SHIPPED / f"{level}.so" for level, needed in LEVELS.items() if needed <= flags)
    return next((path for path in fits if path.exists()), None)


def build_shipped(folder: Path) -> None:
    """Compile a library for each level of x86-64 into `folder`, which a wheel takes along.

    Raises:
        BuildError: there is no compiler, or it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for level in LEVELS:
        _compile(_compiler(), folder / f"{level}.so", f"-march={level}")


def _compile(compiler: list[str], target: Path, instruction_set: str) -> None:
    """Build under a temporary name, then rename; without OpenMP where there is none."""
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
    os.close(handle)
    command = [*compiler, *OPTIONS, instruction_set, *map(str, SOURCES), "-o", name]
    try:
        try:
            _run([*command, THREADS])
        except BuildError:
            _run(command)
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


def _compiled() -> Path:
    """The library in the cache, made if it is not there."""
    compiler = _compiler()
    version = _run([*compiler, "--version"])
    try:
        code = [path.read_text() for path in SOURCES + HEADERS]
    except OSError as error:
        raise BuildError(f"the installation is incomplete: {error}") from error
    options = " ".join([*compiler[1:], *OPTIONS])
    parts = [*code, version, options, _instruction_set(), _cpu_features()]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    try:
        target = _cache_directory() / f"cpu-{key}.so"
        if not target.exists():
            _compile(compiler, target, _instruction_set())
    except OSError as error:
        raise BuildError(f"the compiled kernels cannot be written: {error}") from error
    return target


def _load(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise BuildError(f"{path} cannot be loaded: {error}") from error


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled kernels: the wheel's, or the cache's, built if it does not hold them.

    Returns:
        The loaded library; its calls release Python's global lock.

    Raises:
        BuildError: where there is no working compiler, no folder to write the result to, or the
            result cannot be loaded.
    """
    shipped = _shipped()
    try:
        loaded = _load(shipped or _compiled())
    except BuildError:
        if not shipped:
            raise
        loaded = _load(_compiled())  # the wheel's wants another OpenMP or C++ library
    integer, integer64, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
    sizes = [integer] * 3 + [pointer]
    normalised: list[Any] = [integer, ctypes.c_float, pointer, pointer]
    loaded.l2l_log_features.argtypes = [integer64, pointer, ctypes.c_float, pointer, integer]
    loaded.l2l_log_features.restype = None
    loaded.l2l_forward.argtypes = [*sizes, integer64, *[pointer] * 4, integer, *normalised, pointer]
    backward = [*sizes, integer64, integer64, *[pointer] * 4, integer]
    loaded.l2l_backward.argtypes = [*backward, *normalised]
    return loaded
