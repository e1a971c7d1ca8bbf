"""Functions on their way to other processes: those that can be imported there go by name, all
others, closures and those of a script, whole.
"""

from __future__ import annotations

import pickle
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any, ClassVar

import cloudpickle


class Unportable(pickle.PicklingError):
    """Something cannot be given to another process."""


class Packed:
    """Something with functions in it, as bytes that any process of the same installation can read."""

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
        """What was packed."""
        return cloudpickle.loads(self.content)


class Portable:
    """A class of which some attributes are, or hold, functions that people wrote: its objects
    pickle with them.
    """

    FUNCTIONS: ClassVar[tuple[str, ...]] = ()
    """The names of these attributes."""

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        functions = {name: state.pop(name) for name in self.FUNCTIONS}
        return {**state, "_functions": Packed(f"a {type(self).__name__}", functions)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        functions = state.pop("_functions").unpacked()
        vars(self).update(state | functions)


def for_processes(executor: Executor | None, function: Any) -> Any:
    """The function as an executor needs it, after a look whether its processes can be given it.

    Raises:
        Unportable: when they cannot, before any work begins.
    """
    return (
        _Call(Packed("a function", function))
        if isinstance(executor, ProcessPoolExecutor)
        else function
    )


class _Call:
    """Unpacks a function where it is called."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed

    def __call__(self, *arguments: Any) -> Any:
        return self.packed.unpacked()(*arguments)
