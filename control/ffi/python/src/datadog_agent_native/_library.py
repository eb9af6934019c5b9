"""Finding and loading the native library.

Looked for, in this order: the file or directory in ``DATADOG_AGENT_NATIVE_LIBRARY_PATH``, then
``bin/<os>-<arch>/``, ``bin/<os>/``, ``bin/`` and the package's own directory, its parent, and last
what the system's loader knows.
"""

import ctypes
import os
import platform
import sys
import threading
from pathlib import Path
from typing import Iterator, Optional

from . import _abi
from .errors import DatadogAgentException, DatadogError

#: Environment variable that names the library, or the directory it is in.
LIBRARY_PATH_VARIABLE = "DATADOG_AGENT_NATIVE_LIBRARY_PATH"

_LOADED: Optional[ctypes.CDLL] = None
_LOADING = threading.Lock()


def library() -> ctypes.CDLL:
    """The library, loaded once in a process."""
    global _LOADED
    if _LOADED is None:
        with _LOADING:
            if _LOADED is None:
                _LOADED = _load()
    return _LOADED


def _load() -> ctypes.CDLL:
    chosen = os.environ.get(LIBRARY_PATH_VARIABLE)
    if chosen:
        # What was asked for by name is not silently replaced by another.
        path = Path(chosen)
        return _open(str(path / _file_name() if path.is_dir() else path))
    for path in _bundled():
        if path.is_file():
            return _open(str(path))
    return _open(_file_name())


def _open(name: str) -> ctypes.CDLL:
    try:
        opened = ctypes.CDLL(name)
        _abi.declare(opened)
    except (OSError, AttributeError) as error:
        raise DatadogAgentException(
            f"cannot load the native library {name}: {error}; "
            f"{LIBRARY_PATH_VARIABLE} can name another",
            DatadogError.NOT_AVAILABLE,
        ) from error
    major = opened.corelane_abi_version() >> 16
    if major != _abi.MAJOR:
        raise DatadogAgentException(
            f"{name} has version {major} of the interface, this package needs {_abi.MAJOR}",
            DatadogError.NOT_AVAILABLE,
        )
    return opened


def _bundled() -> Iterator[Path]:
    package = Path(__file__).resolve().parent
    system = {"win32": "windows"}.get(sys.platform, sys.platform)
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    binaries = package / "bin"
    for directory in (
        binaries / f"{system}-{machine}",
        binaries / system,
        binaries,
        package,
        package.parent,
    ):
        yield directory / _file_name()


def _file_name() -> str:
    if sys.platform == "win32":
        return "datadog_agent_native.dll"
    if sys.platform == "darwin":
        return "libdatadog_agent_native.dylib"
    return "libdatadog_agent_native.so"
