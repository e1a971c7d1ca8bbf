"""Networks that ship with the package, each in one file with its card."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from incongruent.posterior.about import About
    from incongruent.posterior.posterior import Posterior

T = TypeVar("T")

SUFFIX = ".safetensors"


def names() -> tuple[str, ...]:
    """The names of the networks that ship with the package."""
    files = [file.name for file in resources.files(__name__).iterdir()]
    return tuple(sorted(name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX)))


def pretrained(name: str = "dmc") -> Posterior:
    """A posterior that ships with the package.

    Args:
        name: "dmc", the Diffusion Model for Conflict tasks under the prior `priors.broad`, for 20
            to 2000 trials a person.

    Raises:
        ValueError: for any other name.
    """
    from incongruent.posterior.posterior import load_posterior

    return _read(name, load_posterior)


def network_named(name: str) -> Posterior:
    """A network that ships with the package, or the network in a file.

    Raises:
        FileError: when there is no such network.
    """
    from incongruent.posterior.posterior import load_posterior

    return pretrained(name) if name in names() else load_posterior(name)


def about_named(name: str) -> About:
    """What a network that ships, or that of a file, says of itself; jax is not needed for that.

    Raises:
        FileError: when there is no such network.
    """
    from incongruent.posterior.about import load_about

    return _read(name, load_about) if name in names() else load_about(name)


def _read(name: str, load: Callable[[Path], T]) -> T:
    """What a function makes of the file of a network that ships."""
    if name not in names():
        raise ValueError(f"Expected one of the networks that ship, {list(names())}; got {name!r}.")
    with resources.as_file(resources.files(__name__) / f"{name}{SUFFIX}") as path:
        return load(path)
