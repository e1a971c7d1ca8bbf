"""The compilation cache: compiled programs are kept by JAX from one process to the next.

A network takes seconds to compile and milliseconds to run. The first training or sampling of a
process sets the folder in the user's cache where JAX keeps compiled programs, unless the user set
one, or switched its cache off. Importing the package changes nothing. The environment
variable INCONGRUENT_COMPILATION_CACHE names another folder, or is "off".

JAX distinguishes programs, versions and options. Machines are distinguished here: a home folder may
be shared by machines with different processors, and programs are compiled for one.
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
JAX_DEFAULT = 1.0
"""The same when the user has not set it; it would leave out half of our programs."""
DAYS = 60
"""Programs older than this are removed, so that the folder does not grow for ever."""


@cache
def keep_compiled() -> Path | None:
    """Let JAX keep compiled programs from now on; further calls do nothing.

    Returns:
        The folder; None when the cache is switched off, is the user's own, or cannot be written.
    """
    folder = _folder()
    if folder is None or _user_has_chosen() or not _made_ready(folder):
        return None
    # An entry that another process is still writing is compiled again, which needs no warning.
    warnings.filterwarnings(
        "ignore", message="Error (reading|writing) persistent compilation cache entry"
    )
    _let_jax_use(folder)
    return folder


def _options() -> Any:
    """The options of JAX, which are not declared."""
    return cast(Any, jax.config)


def _user_has_chosen() -> bool:
    """Whether the user set another folder, or switched JAX's cache off."""
    set_already = _options().jax_compilation_cache_dir is not None
    return set_already or not _options().jax_enable_compilation_cache


def _let_jax_use(folder: Path) -> None:
    """Set the folder, and from how many seconds of compilation on a program is kept."""
    if _options().jax_persistent_cache_min_compile_time_secs == JAX_DEFAULT:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    jax.config.update("jax_compilation_cache_dir", str(folder))


def _made_ready(folder: Path) -> bool:
    """Make the folder and remove old programs; False when it cannot be used safely."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK) or not _private(folder):
            return False
        _remove_old(folder)
    except OSError:
        return False
    return True


def _folder() -> Path | None:
    """Where programs for this kind of machine are kept; None when switched off."""
    chosen = os.environ.get(SWITCH, "").strip()
    if chosen.lower() in ("off", "0", "no", "false", "none"):
        return None
    default = Path(pooch.os_cache("incongruent")) / "compiled"
    return (Path(chosen).expanduser() if chosen else default) / _machine()


def _private(folder: Path) -> bool:
    """Whether no other user can put programs there, which would be run."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _machine() -> str:
    """A name for machines with the same processor."""
    parts = [platform.system(), platform.machine(), platform.processor(), *_processor_lines()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _processor_lines() -> list[str]:
    """What Linux says of the model and the features of the processor; nothing elsewhere."""
    described = Path("/proc/cpuinfo")
    if not described.exists():
        return []
    wanted = ("model name", "flags", "Features", "CPU part")
    lines = described.read_text(errors="replace").splitlines()
    return sorted({line for line in lines if line.startswith(wanted)})


def _remove_old(folder: Path) -> None:
    """Remove programs that were compiled long ago; those still in use are compiled again."""
    oldest = time.time() - DAYS * 24 * 3600
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
