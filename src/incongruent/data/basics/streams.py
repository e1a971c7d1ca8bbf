"""Random numbers: one tree that grows from a seed, with a branch for each purpose.

Whatever is random comes from the stream at ``(seed, purpose, place, …)``. Numbers for two purposes,
or at two places, are different, even when the seed is the same. A function that passes a seed on to
another function passes a child of its seed, made for that purpose. The numbers of the purposes
never change: banks on disk were made with the first four.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum, unique
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import PRNGKeyArray

Array = np.ndarray

LARGEST_PLAIN = 2**128
"""Seeds from this one on are hashed, since numpy would not separate them from the purpose."""


@unique
class Purpose(IntEnum):
    """The purposes of random numbers; each number stands in files and never changes."""

    PRIOR = 0
    LAYOUT = 1
    TRIALS = 2
    BANK = 3
    PRIOR_ALONE = 4

    WEIGHTS = 10
    DROPOUT = 11
    SERIES = 12
    BATCHES = 13
    SCALES = 14
    HELD_OUT = 15
    SPLIT = 16
    TRIAL_ORDER = 17
    HELD_OUT_TRIAL_ORDER = 18
    HELD_OUT_SIZES = 19
    BANK_ORDER = 20
    HISTOGRAM_AXIS = 21
    TRY_OUT = 22
    QUALITY = 23

    SAMPLING = 30
    MEMBERS = 31
    MEMBERS_ORDER = 32
    RESAMPLING = 33
    MCMC = 34
    REPLICATES = 35
    REPLICATED_TRIALS = 36
    ADAPTING = 37
    VARIANTS = 38
    VARIANT_FREQUENCIES = 39

    COMPARED_MODELS = 40
    COMPARED_TRIALS = 41
    COMPARED_HELD_OUT = 42
    COMPARED_HELD_OUT_TRIALS = 43
    COMPARED_FRESH = 44

    RECOVERY_DATA = 100
    RECOVERY_DRAWS = 101
    CALIBRATION = 102
    CALIBRATION_DATA = 103
    CALIBRATION_DRAWS = 104
    CALIBRATION_RESAMPLING = 105
    CALIBRATION_REFERENCE = 106
    CALIBRATION_TIES = 107
    SBC_DRAWS = 108
    SBC_CHOICE = 109
    SBC_DATA = 110
    SBC_RANKS = 111
    UNIFORMITY = 112
    EFFICIENCY = 113
    EFFICIENCY_DATA = 114
    EFFICIENCY_DRAWS = 115

    MATCHED_PRIOR = 120
    MATCHED_TRIALS = 121
    MATCHED_PARTS = 122
    MMD_REFERENCE = 123
    MMD_FRESH = 124
    MMD_NULL = 125
    MMD_PERMUTATIONS = 126
    SURPRISE_LEARNED = 127
    SURPRISE_FIRST = 128
    SURPRISE_MORE = 129
    SURPRISE_EXCESS = 130
    SURPRISE_ORDER = 131
    SURPRISE_DATA = 132
    PANEL = 133
    IMITATED = 134
    IMITATOR = 135
    SUMMARY_ORDER = 136
    SUMMARY_DATA = 137
    SUMMARY_OTHER_PRIOR = 138
    SUMMARY_TRAINING = 139
    REPLICAS = 140
    REPLICA_DRAWS = 141
    PEOPLE_DRAWS = 142
    SCORES_NULL = 143
    SUGGESTION_DRAWS = 144
    SUGGESTION_BOOTSTRAP = 145
    POOLING = 147
    AFTER_SUGGESTION = 148
    CHOSEN_CHUNKS = 149
    C2ST_FOLDS = 150
    C2ST_WEIGHTS = 151
    SHOWN_PRIOR = 152

    WHICH_VARIANT_DRAWS = 160
    WHICH_VARIANT_CORRECTION = 161
    WHICH_VARIANT_SAMPLING = 162
    WHICH_VARIANT_PREDICTIONS = 163


def as_seed(seed: object) -> int:
    """The seed as a plain whole number.

    Raises:
        TypeError: for something else than a whole number, like a fraction, True or None.
        ValueError: for a negative one.
    """
    if not isinstance(seed, Integral) or isinstance(seed, bool | np.bool_):
        raise TypeError(
            f"Expected a seed that is a whole number from 0 on; got {seed!r}. Give one, like"
            " seed=1."
        )
    if seed < 0:
        raise ValueError(
            f"Expected a seed that is a whole number from 0 on; got {seed}. Give one, like seed=1."
        )
    return int(seed)


def stream(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """The stream of random numbers for one purpose, at one place of it.

    Args:
        seed: a whole number from 0 on.
        purpose: what the numbers are for.
        place: whole numbers from 0 to 2^32 - 1, like the number of a chunk or of a step.

    Example:
        >>> stream(1, Purpose.BATCHES, 7).random() == stream(1, Purpose.BATCHES, 7).random()
        True
    """
    return np.random.Generator(np.random.SFC64(sequence(seed, purpose, *place)))


def stream_or(seed: int | np.random.Generator, purpose: Purpose) -> np.random.Generator:
    """The stream for a purpose, or the generator itself when one is given instead of a seed."""
    return seed if isinstance(seed, np.random.Generator) else stream(seed, purpose)


def child(seed: int, purpose: Purpose, *place: int) -> int:
    """A seed of 63 bits for one purpose; arguments as in `stream`."""
    return int(sequence(seed, purpose, *place).generate_state(1, np.uint64)[0] >> np.uint64(1))


def word(seed: int, purpose: Purpose, *place: int) -> int:
    """A seed of 32 bits, for libraries that accept no longer ones; arguments as in `stream`."""
    return int(sequence(seed, purpose, *place).generate_state(1, np.uint32)[0])


def jax_key(seed: int, purpose: Purpose, *place: int) -> PRNGKeyArray:
    """A key of 64 bits for JAX; arguments as in `stream`."""
    import jax
    import jax.numpy as jnp

    return jax.random.wrap_key_data(
        jnp.asarray(sequence(seed, purpose, *place).generate_state(2)), impl="threefry2x32"
    )


def seed_from(rng: np.random.Generator) -> int:
    """A seed of 63 bits, the next number of a stream."""
    return int(rng.integers(2**63))


def legacy_state(rng: np.random.Generator) -> np.random.RandomState:
    """A Mersenne twister seeded by the next 256 bits of a stream, for libraries that need one."""
    return np.random.RandomState(
        np.random.MT19937(np.random.SeedSequence(rng.integers(2**32, size=8).tolist()))
    )


def unchanging() -> np.random.Generator:
    """A generator that always gives the same numbers, for what is part of a definition.

    The order of coordinates in a flow and the standardisation of a joint prior are such parts.
    Files of saved networks depend on these numbers, so they must never change.
    """
    return np.random.default_rng(0)


def sequence(seed: int, purpose: Purpose, *place: int) -> np.random.SeedSequence:
    """The root of all numbers for one purpose at one place; arguments as in `stream`."""
    entropy = _shortened(as_seed(seed))
    if not all(0 <= part < 2**32 for part in place):
        raise ValueError(
            f"Expected places from 0 to 2^32 - 1 in a stream of random numbers; got {place}."
        )
    return np.random.SeedSequence(entropy, spawn_key=(int(Purpose(purpose)), *map(int, place)))


def _shortened(seed: int) -> int:
    """The seed itself, or its hash of 128 bits when it is longer than that."""
    if seed < LARGEST_PLAIN:
        return seed
    n_bytes = -(-seed.bit_length() // 8)
    digest = hashlib.blake2b(seed.to_bytes(n_bytes, "little"), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def place_of(name: str) -> tuple[int, int]:
    """The place of a name in a stream: the two halves of its 64-bit hash."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def places_of(names: Sequence[str]) -> list[tuple[int, int, int]]:
    """The place of each data set's random numbers in a stream.

    It depends on the name and on how often that name has come before, but on no other name.
    """
    seen: Counter[str] = Counter()
    places = []
    for name in names:
        places.append((*place_of(name), seen[name]))
        seen[name] += 1
    return places
