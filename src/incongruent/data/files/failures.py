"""Why a file cannot be read: it is damaged, or a package that reads it is not installed."""

from __future__ import annotations

import importlib
from types import ModuleType

from incongruent.data.values import DataError


def broken(name: str, what: str, error: Exception) -> DataError:
    """The error for a damaged file.

    Args:
        name: of the file.
        what: the kind of file that it begins like.
        error: that came up while it was read.
    """
    return DataError(
        f"Expected a complete {what} file; {name} starts like one but cannot be read: {error}"
    )


def package(module: str, reads: str) -> ModuleType:
    """A module of a package that is not always installed.

    Args:
        module: its name.
        reads: what it reads, in words.

    Raises:
        DataError: when the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(
            f"Expected the package {module.partition('.')[0]}, which reads {reads}; it is not"
            ' installed. Install it with pip install "incongruent[formats]".'
        ) from error
