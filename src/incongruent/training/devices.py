"""Data-parallel learning: weights on all devices, batches spread over them.

Where there is one device, nothing is done at all.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def _mesh() -> Mesh | None:
    """All devices in a row; None when there is one."""
    return Mesh(np.array(jax.devices()), ("data",)) if jax.device_count() > 1 else None


def on_all_devices(tree: Any) -> Any:
    """The same arrays on every device."""
    mesh = _mesh()
    if mesh is None:
        return tree
    arrays, rest = eqx.partition(tree, eqx.is_array)
    return eqx.combine(jax.device_put(arrays, NamedSharding(mesh, PartitionSpec())), rest)


def spread(*arrays: np.ndarray) -> list[jax.Array]:
    """Arrays whose first axis is spread over the devices, where it can be divided among them."""
    mesh = _mesh()
    if mesh is None or len(arrays[0]) % jax.device_count():
        return [jnp.asarray(array) for array in arrays]
    return [jax.device_put(array, NamedSharding(mesh, PartitionSpec("data"))) for array in arrays]
