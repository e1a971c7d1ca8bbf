"""Atomic writes: a file is complete or absent.

It is written under another name in the same folder, flushed to the disk and renamed. Nothing here
knows of jax.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


class FileError(ValueError):
    """A file that is absent, damaged, foreign or of an unknown version."""


def ready_for_file(path: str | os.PathLike[str]) -> Path:
    """Make the folder of a file that will be written after long work, and see that it can be.

    Raises:
        FileError: when it cannot.
    """
    path = Path(path)
    with _in_words(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise FileError(
                f"Expected the name of a file to write; {path} is a folder. Give a name in it, such"
                f" as {path / 'network'}."
            )
        path.exists()  # which fails for names that no file can have
        _created_beside(path).unlink()
    return path


def ready_for_files(folder: str | os.PathLike[str]) -> Path:
    """Make a folder that will be written to after long work, and see that it can be.

    Raises:
        FileError: when it cannot.
    """
    folder = Path(folder)
    with _in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _created_beside(folder / "file").unlink()
    return folder


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Turn errors of the operating system about a path to write to into a sentence."""
    try:
        yield
    except FileError:
        raise
    except (FileExistsError, NotADirectoryError) as error:
        raise FileError(
            f"Expected to write to {path}; {error.filename} is in the way, which is a file. Give"
            " another place."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FileError(
            f"Expected to write to {path}; that is not possible ({reason}). Give another place."
        ) from error


def _created_beside(target: Path) -> Path:
    """Create an empty file with another name in the folder of a target.

    It has the rights that the process gives to new files: all, less what the umask forbids.
    """
    beside = _hidden_name_beside(target)
    os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
    return beside


def _hidden_name_beside(target: Path) -> Path:
    """A path in the folder of a target that no other process chooses."""
    return target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file to write to, which becomes the file `path` when nothing went wrong.

    It is flushed to the disk and renamed at the end; the folder is made when it is not there. A new
    file has the rights of the process's umask, one that replaces another keeps the rights of that.

    Raises:
        FileError: when nothing can be written there.
    """
    target = Path(path)
    if not target.parent.is_dir() or target.is_dir():
        ready_for_file(target)
    with _in_words(target):
        beside = _created_beside(target)
    try:
        yield beside
        flush(beside)
        _keep_rights(beside, target)
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def flush(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _keep_rights(new: Path, target: Path) -> None:
    """Give a new file the rights of the file that it will replace, if there is one."""
    if target.exists():
        os.chmod(new, target.stat().st_mode & 0o777)


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that is complete or absent at any moment."""
    with atomic_path(path) as beside:
        beside.write_bytes(content)


def strict_json(value: Any) -> Any:
    """Turn a value into strict JSON: plain numbers, and None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): strict_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [strict_json(entry) for entry in value]
    return _finite_or_none(value.item() if isinstance(value, np.generic) else value)


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
