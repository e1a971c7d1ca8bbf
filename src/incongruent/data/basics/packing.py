"""Functions that are sent to other processes.

Functions that can be imported there are sent by name. All others, such as closures and the
functions of a script, are sent with their code.
"""

from __future__ import annotations

import pickle
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any, ClassVar

import cloudpickle


class Unportable(pickle.PicklingError):
    """An object cannot be given to another process."""


class Packed:
    """An object that holds functions, as bytes.

    Any process of the same installation can read them.
    """

    def __init__(self, what: str, value: Any) -> None:
        try:
            self.content: bytes = cloudpickle.dumps(value)
        except Unportable:
            raise
        except Exception as error:  # whatever an object's own pickling may raise
            raise Unportable(
                f"Expected {what} that can be given to another process; it holds something that"
                f" lives in this one alone ({error}). Open files, locks and connections inside of"
                " the function, or use threads, ThreadPoolExecutor()."
            ) from error

    def unpacked(self) -> Any:
        """The object that was packed."""
        return cloudpickle.loads(self.content)


class Portable:
    """A base class whose objects can be pickled although they hold functions that users wrote."""

    FUNCTIONS: ClassVar[tuple[str, ...]] = ()
    """The names of the attributes that are functions, or hold functions."""

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        functions = {name: state.pop(name) for name in self.FUNCTIONS}
        return {**state, "_functions": Packed(f"a {type(self).__name__}", functions)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        functions = state.pop("_functions").unpacked()
        vars(self).update(state | functions)


def for_processes(executor: Executor | None, function: Any) -> Any:
    """The function in the form that an executor needs.

    Raises:
        Unportable: when it cannot be given to the executor's processes, before any work begins.
    """
    if isinstance(executor, ProcessPoolExecutor):
        return _Call(Packed("a function", function))
    return function


class _Call:
    """A packed function that is unpacked in the process that calls it."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed

    def __call__(self, *arguments: Any) -> Any:
        return self.packed.unpacked()(*arguments)
