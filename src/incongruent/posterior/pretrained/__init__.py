"""Networks that ship with the package, each in one file with its card."""

from __future__ import annotations

from importlib import resources

from incongruent.posterior.posterior import Posterior, load_posterior

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
    if name not in names():
        raise ValueError(f"Expected one of the networks that ship, {list(names())}; got {name!r}.")
    with resources.as_file(resources.files(__name__) / f"{name}{SUFFIX}") as path:
        return load_posterior(path)


def network_named(name: str) -> Posterior:
    """A network that ships with the package, or the network in a file.

    Raises:
        FileError: when there is no such network.
    """
    return pretrained(name) if name in names() else load_posterior(name)
