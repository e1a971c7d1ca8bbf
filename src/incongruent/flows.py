"""Flows to choose from: the shape that the posterior can take. ``inc.Architecture(flow=inc.flows.CouplingFlow(transform="affine"))``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from incongruent.options import check_counts, check_dropout, helpful
from incongruent.plain import plain

Transform = Literal["spline", "affine"]
"""A spline on top of an affine map, or the affine map alone."""
Permutation = Literal["random", "fixed"]
"""In which order the layers take the coordinates: a random one, or the order of the parameters; the layer after it takes the opposite one."""


def _check(flow: CouplingFlow | AutoregressiveFlow) -> None:
    check_counts(flow, {"n_layers": 0, "n_bins": 1, "width": 1})
    check_dropout(flow)
    for name, choices in (("transform", get_args(Transform)), ("permutation", get_args(Permutation))):
        object.__setattr__(flow, name, plain(getattr(flow, name)))
        if getattr(flow, name) not in choices:
            raise ValueError(f"Expected {name} to be one of {choices}; got {getattr(flow, name)!r}.")


@helpful
@dataclass(frozen=True, kw_only=True)
class CouplingFlow:
    """Half of the coordinates move, the other half and the summaries say how; then the other way round. Density and draws cost the same.

    Attributes:
        n_layers: couplings; with none the posterior is normal on the real line.
        transform: "spline" or "affine".
        n_bins: bins of each spline.
        width: hidden units of the network that chooses the transforms.
        dropout: share of these units left out in training.
        permutation: "random" or "fixed".
    """

    n_layers: int = 4
    transform: Transform = "spline"
    n_bins: int = 8
    width: int = 64
    dropout: float = 0.0
    permutation: Permutation = "random"

    def __post_init__(self) -> None:
        _check(self)


@helpful
@dataclass(frozen=True, kw_only=True)
class AutoregressiveFlow:
    """Every coordinate moves, the ones before it and the summaries say how. Somewhat better than couplings, and slower with many parameters.

    Attributes:
        n_layers: autoregressions; with none the posterior is normal on the real line.
        transform: "spline" or "affine".
        n_bins: bins of each spline.
        width: hidden units of the networks that choose the transforms, one for each coordinate.
        dropout: share of these units left out in training.
        permutation: "random" or "fixed".
    """

    n_layers: int = 4
    transform: Transform = "spline"
    n_bins: int = 8
    width: int = 64
    dropout: float = 0.0
    permutation: Permutation = "random"

    def __post_init__(self) -> None:
        _check(self)


FlowOptions = CouplingFlow | AutoregressiveFlow
"""One of them."""
