"""Compiled programs are kept from one process to the next, in JAX's persistent compilation cache.

A network takes seconds to compile and milliseconds to run. The first training or sampling of a
process tells JAX a folder in the user's cache where compiled programs are kept, unless the user
told it one, or switched its cache off. Importing the package changes nothing. The environment
variable INCONGRUENT_COMPILATION_CACHE names another folder, or is "off".

JAX tells programs, versions and options apart. Machines are told apart here: a home folder may be
shared by machines with different processors, and programs are compiled for one.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any, cast

import jax
import pooch

SWITCH = "INCONGRUENT_COMPILATION_CACHE"
"""Environment variable: a folder, or "off"."""
WORTH_KEEPING = 0.1
"""Seconds of compilation from which a program is kept."""
DAYS = 60
"""Programs older than this are removed, so that the folder does not grow for ever."""


@cache
def keep_compiled() -> Path | None:
    """Let JAX keep compiled programs from now on; further calls do nothing.

    Returns:
        The folder; None when the cache is switched off, is the user's own, or cannot be written.
    """
    folder, config = _folder(), cast(Any, jax.config)  # its options are not declared
    if (
        folder is None
        or config.jax_compilation_cache_dir is not None
        or not config.jax_enable_compilation_cache
    ):
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK) or not _own(folder):
            return None
        _remove_old(folder)
    except OSError:
        return None
    # An entry that another process is still writing is compiled again; that is nothing to warn of.
    warnings.filterwarnings(
        "ignore", message="Error (reading|writing) persistent compilation cache entry"
    )
    if (
        config.jax_persistent_cache_min_compile_time_secs == 1.0
    ):  # JAX's default, which leaves out half of ours
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    return folder


def _folder() -> Path | None:
    """Where programs for this kind of machine are kept; None when switched off."""
    chosen = os.environ.get(SWITCH, "").strip()
    if chosen.lower() in ("off", "0", "no", "false", "none"):
        return None
    above = (
        Path(chosen).expanduser() if chosen else Path(pooch.os_cache("incongruent")) / "compiled"
    )
    return above / _machine()


def _own(folder: Path) -> bool:
    """Whether nobody else can put programs there, which would be run."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _machine() -> str:
    """A name for machines with the same processor."""
    parts = [platform.system(), platform.machine(), platform.processor()]
    described = Path("/proc/cpuinfo")
    if described.exists():
        wanted = ("model name", "flags", "Features", "CPU part")
        lines = described.read_text(errors="replace").splitlines()
        parts += sorted({line for line in lines if line.startswith(wanted)})
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _remove_old(folder: Path) -> None:
    """Remove what was compiled long ago; what is used still is compiled again."""
    oldest = time.time() - DAYS * 24 * 3600
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
