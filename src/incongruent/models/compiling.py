"""How numba compiles the functions of this room: kernels, and the steps that they consist of."""

from __future__ import annotations

import numba

kernel = numba.njit(nogil=True, cache=True)
"""Compiled on its own and kept on disk; it holds no interpreter lock."""
fast_kernel = numba.njit(nogil=True, cache=True, fastmath=True)
"""A kernel in which sums may be taken in another order, and products fused with them."""
step = numba.njit(inline="always")
"""Put into the kernels that call it before they are compiled, so that its name costs no time."""
