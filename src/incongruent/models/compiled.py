"""Trials from functions compiled with numba.

The function is compiled into a loop over trials that holds no interpreter lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numba
import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

from incongruent.data.basics.streams import unchanging
from incongruent.data.columns import Column

Array = np.ndarray


class SimulationError(ValueError):
    """A simulator gave something that its columns do not allow, or failed."""


def wrong_outcome(outcomes: Sequence[Column], outcome: Any) -> NoReturn:
    """Refuse what a function of one trial has given.

    Raises:
        SimulationError: saying what was expected.
    """
    names = [column.name for column in outcomes]
    raise SimulationError(
        f"Expected the outcomes {names} of a trial from the simulator, in this order, with None for"
        f" a trial without an answer; got {outcome!r}."
    )


class Compiled:
    """A simulator from a compiled function of one trial.

    The function is compiled into its loop when it is first used.

    Args:
        function: ``function(theta, *given, rng)``, as `incongruent.models.custom.from_trial` has
            it.
        given: columns that the design sets.
        outcomes: the other columns.
    """

    def __init__(
        self, function: Dispatcher, given: Sequence[Column], outcomes: Sequence[Column]
    ) -> None:
        self.function, self.given, self.outcomes = function, tuple(given), tuple(outcomes)
        self._loop: Callable[..., None] | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.function, self.given, self.outcomes)

    def __call__(
        self, theta: Array, values: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        """What `Model.simulate` asks for."""
        theta = np.ascontiguousarray(theta, float)
        layout = tuple(np.ascontiguousarray(values[column.name]) for column in self.given)
        made = np.zeros((len(self.outcomes), *present.shape))
        answered = np.zeros(present.shape, bool)
        if present.any():
            loop = self._loop_for(theta, layout, present)
            loop(theta, layout, present, rng, made, answered)
        outcomes = {column.name: made[k] for k, column in enumerate(self.outcomes)}
        return {**values, **outcomes}, answered

    def _loop_for(
        self, theta: Array, layout: tuple[Array, ...], present: Array
    ) -> Callable[..., None]:
        """The loop, which is made for the first trial that comes; other threads wait for it."""
        with self._lock:
            if self._loop is None:
                i, j = np.argwhere(present)[0]
                trial = (array[i, j] for array in layout)
                self._loop = self._made((theta[i], *trial, unchanging()))
            return self._loop

    def _made(self, arguments: tuple[Any, ...]) -> Callable[..., None]:
        """The loop for arguments of these types."""
        once = self.function(*arguments)
        kind = self._return_type(tuple(map(numba.typeof, arguments)))
        if isinstance(kind, types.NoneType):
            return _nothing
        kind = kind.type if isinstance(kind, types.Optional) else kind
        n_parts = len(kind) if isinstance(kind, types.BaseTuple) else 0
        if max(n_parts, 1) not in (len(self.outcomes), len(self.outcomes) + 1):
            wrong_outcome(self.outcomes, once)
        return _loop(self.function, len(self.given), len(self.outcomes), n_parts)

    def _return_type(self, wanted: tuple[Any, ...]) -> Any:
        """What the function returns for these types; if they were converted, for the last ones."""
        signatures = self.function.nopython_signatures
        return next((s for s in signatures if s.args == wanted), signatures[-1]).return_type


def _nothing(*_: Any) -> None:
    """The loop of a function that never answers."""


def _loop(function: Dispatcher, n_given: int, n_outcomes: int, n_parts: int) -> Callable[..., None]:
    pick, put = _picker(n_given), _putter(n_outcomes) if n_parts else numba.njit(_put_number)
    flag = _flag(n_outcomes) if n_parts > n_outcomes else numba.njit(lambda outcome: True)

    @numba.njit(nogil=True)
    def loop(theta, layout, present, rng, made, answered):  # pragma: no cover - compiled
        for i in range(present.shape[0]):
            for j in range(present.shape[1]):
                if present[i, j]:
                    arguments = pick(layout, i, j) + (rng,)  # noqa: RUF005 - numba joins tuples
                    outcome = function(theta[i], *arguments)
                    if outcome is not None:
                        known = _known(outcome)
                        put(made, known, i, j)
                        answered[i, j] = flag(known)

    return loop


def _unwrapped(context: Any, value: Any) -> Any:  # pragma: no cover - compiled
    kind = value.type if isinstance(value, types.Optional) else value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.cast(builder, arguments[0], value, kind)

    return kind(value), generate


_known: Any = intrinsic(_unwrapped)
"""A compiled function that gives a value that may be None, and is not, as one that never is."""


def _put_number(made: Any, outcome: Any, i: int, j: int) -> None:  # pragma: no cover - compiled
    made[0, i, j] = outcome


def _flag(place: int) -> Any:
    """A compiled function that reads from the end of an outcome whether there was an answer."""
    return numba.njit(lambda outcome: outcome[place] != 0)


def _putter(n: int) -> Any:
    """A compiled function that stores the first n elements of an outcome.

    The elements may differ in type.
    """
    place = n - 1
    if n == 0:
        return numba.njit(lambda made, outcome, i, j: None)
    before = _putter(place)

    @numba.njit
    def put(made, outcome, i, j):  # pragma: no cover - compiled
        before(made, outcome, i, j)
        made[place, i, j] = outcome[place]

    return put


def _picker(n: int) -> Any:
    """A compiled function that takes element (i, j) of each of n arrays."""
    if n == 0:
        return numba.njit(lambda layout, i, j: ())
    rest = _picker(n - 1)
    return numba.njit(lambda layout, i, j: (layout[0][i, j],) + rest(layout[1:], i, j))  # noqa: RUF005
