"""Files of arrays with a card: safetensors that are complete or absent, and say what made them.

Files are written atomically. The header carries a JSON card and a SHA-256 of the arrays, by which a
damaged file is recognised. Loading runs no code.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from incongruent.data.basics.plain import json_text
from incongruent.storage.atomic import FileError, write_atomically

Array = np.ndarray
Contents = tuple[dict[str, Array], dict[str, Any]]
"""The arrays and the card of a file."""


def save_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Array],
    card: Mapping[str, Any],
    *,
    kind: str,
    version: int,
) -> None:
    """Save named arrays and a card.

    Args:
        path: where to.
        arrays: by name.
        card: JSON-able; not-a-number is refused.
        kind: what the file is, checked on load.
        version: of its layout, checked on load.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json_text(card)
    checksum = digest(arrays, text)
    header = {"kind": kind, "version": str(version), "sha256": checksum, "card": text}
    write_atomically(path, save(arrays, header))


def load_arrays(
    path: str | os.PathLike[str],
    *,
    kind: str,
    version: int,
    older: Mapping[int, Callable[[dict[str, Array], dict[str, Any]], Contents]] | None = None,
) -> Contents:
    """Load what `save_arrays` saved.

    Args:
        path: the file.
        kind: what it has to be.
        version: of the layout.
        older: for each older version that is read as well ``(arrays, card) -> (arrays, card)``,
            which gives what the present version would hold.

    Raises:
        FileError: saying what was expected and what came.
    """
    older = older or {}
    if not Path(path).is_file():
        raise FileError(f"Expected a {kind} file at {path}; there is none.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = dict(file.metadata() or {})
            _check_header(header, path, kind, [str(known) for known in (version, *older)])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise FileError(
            f"Expected a {kind} file; {path} is damaged or of another format ({error}). Copy or"
            " make it again."
        ) from error
    _check_digest(arrays, header, path, kind)
    card, written = json.loads(header["card"]), int(header["version"])
    return (arrays, card) if written == version else older[written](arrays, card)


def _check_header(
    header: Mapping[str, str], path: str | os.PathLike[str], kind: str, versions: list[str]
) -> None:
    """Check that a file is of this kind and of one of these versions.

    Raises:
        FileError: when it is not.
    """
    if header.get("kind") != kind:
        raise FileError(
            f"Expected a {kind} file; {path} is {header.get('kind', 'something else')}."
        )
    if header.get("version") not in versions:
        raise FileError(
            f"Expected {kind} files of version {' or '.join(versions)}; {path} has version"
            f" {header.get('version')}. Use the release that wrote it."
        )


def _check_digest(
    arrays: Mapping[str, Array], header: Mapping[str, str], path: str | os.PathLike[str], kind: str
) -> None:
    """Check that the arrays and the card of a file are what was written.

    Raises:
        FileError: when they are not.
    """
    if digest(arrays, header.get("card", "")) != header.get("sha256"):
        raise FileError(
            f"Expected the {kind} file {path} as it was written; its checksum differs, so it is"
            " damaged. Copy or make it again."
        )


def digest(arrays: Mapping[str, Array], text: str) -> str:
    """SHA-256 of a text and of named arrays: their names, types, shapes and bytes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(_name_type_and_shape(name, arrays[name]))
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _name_type_and_shape(name: str, array: Array) -> bytes:
    """Name, type and shape of an array, as the checksum reads them."""
    return f"{name} {array.dtype} {array.shape} ".encode()


def named_leaves(tree: Any, prefix: str) -> dict[str, Array]:
    """The arrays of a tree of modules, by prefix and path."""
    import equinox as eqx  # only where networks are, not where a card is read
    import jax

    leaves = jax.tree_util.tree_flatten_with_path(eqx.filter(tree, eqx.is_array))[0]
    return {prefix + jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def with_leaves(tree: Any, arrays: Mapping[str, Array], prefix: str) -> Any:
    """The same tree with its arrays replaced by those that `named_leaves` gave.

    Raises:
        FileError: when an array is missing or has another shape.
    """
    import jax

    def one(path: Any, leaf: Any) -> Any:
        if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct):
            return leaf
        name = prefix + jax.tree_util.keystr(path)
        stored = arrays.get(name)
        if stored is None or stored.shape != leaf.shape:
            came = "none" if stored is None else f"shape {stored.shape}"
            raise FileError(
                f"Expected an array {name!r} of shape {leaf.shape}; got {came}. The file is of"
                " another network."
            )
        return jax.numpy.asarray(stored, leaf.dtype)

    return jax.tree_util.tree_map_with_path(one, tree)
