"""Architectures: which encoder and which flow, and how they are written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from incongruent.data.basics.options import check_counts, checked_names
from incongruent.data.trials import Category, Column, Continuous
from incongruent.networks import encoders, flows
from incongruent.networks.encoder import EncoderOptions
from incongruent.networks.flow import FlowOptions
from incongruent.networks.flows import AutoregressiveFlow, CouplingFlow

SUMMARIES_PER_PARAMETER = 3
ENCODERS = tuple(getattr(encoders, name) for name in encoders.__all__)
FLOWS = tuple(getattr(flows, name) for name in flows.__all__)


@checked_names
@dataclass(frozen=True)
class Architecture:
    """What an estimator is made of.

    Attributes:
        encoder: reads the trials; one of `incongruent.encoders`. None picks: a network for vectors
            when data sets have one trial, the histogram when one continuous column is answered and
            categories are the only other ones by trial, a deep set for everything else.
        flow: draws parameters from what was read; one of `incongruent.flows`.
        n_summaries: learned summary statistics between the two; three for each parameter when None.
    """

    encoder: EncoderOptions | None = None
    flow: FlowOptions = CouplingFlow()
    n_summaries: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, EncoderOptions | None):
            raise TypeError(
                f"Expected an encoder like inc.encoders.DeepSet(), or None; got {self.encoder!r}."
            )
        if not isinstance(self.flow, FlowOptions):
            raise TypeError(f"Expected a flow like inc.flows.CouplingFlow(); got {self.flow!r}.")
        if self.n_summaries is not None:
            check_counts(self, {"n_summaries": 1})

    def chosen_for(self, columns: Sequence[Column], largest: int) -> Architecture:
        """The same architecture with an encoder, whoever chose it.

        Args:
            columns: of the trials.
            largest: the largest number of trials of a data set.
        """
        return replace(self, encoder=self.encoder_for(columns, largest))

    def encoder_for(self, columns: Sequence[Column], largest: int) -> EncoderOptions:
        """The encoder that was chosen, or the one for such trials; arguments as in `chosen_for`."""
        return _encoder_for(columns, largest) if self.encoder is None else self.encoder


def _encoder_for(columns: Sequence[Column], largest: int) -> EncoderOptions:
    if largest == 1:
        return encoders.MLP()
    by_trial = [column for column in columns if column.per == "trial"]
    numbers = [column for column in by_trial if not isinstance(column, Category)]
    one_outcome = len(numbers) == 1 and isinstance(numbers[0], Continuous) and not numbers[0].given
    return encoders.Histogram() if one_outcome else encoders.DeepSet()


def architecture_to_json(architecture: Architecture) -> dict[str, Any]:
    """The architecture as plain values."""
    parts = {"encoder": architecture.encoder, "flow": architecture.flow}
    written = {name: _part_to_json(part) for name, part in parts.items()}
    return {**written, "n_summaries": architecture.n_summaries}


def _part_to_json(part: Any) -> dict[str, Any] | None:
    """The settings of an encoder or a flow, with its kind."""
    return None if part is None else {"kind": type(part).__name__, **asdict(part)}


def architecture_from_json(card: Mapping[str, Any]) -> Architecture:
    """The architecture that `architecture_to_json` described.

    Raises:
        ValueError: for a kind of encoder or flow that this release does not know.
    """
    encoder = _part_from_json(card["encoder"], ENCODERS)
    flow = _part_from_json(card["flow"], FLOWS)
    return Architecture(encoder, flow, card["n_summaries"])


def _part_from_json(spec: Mapping[str, Any] | None, kinds: tuple[type, ...]) -> Any:
    if spec is None:
        return None
    named = {kind.__name__: kind for kind in kinds}
    if spec["kind"] not in named:
        raise ValueError(f"Expected one of {sorted(named)}; got {spec['kind']!r}.")
    return named[spec["kind"]](**{name: value for name, value in spec.items() if name != "kind"})


def architecture_from_version_2(card: Mapping[str, Any]) -> Architecture:
    """The architecture of a posterior file of version 2: always a histogram, all in one table."""
    settings = {name: card[name] for name in ("n_knots", "n_quantiles", "width", "n_blocks")}
    flow = {"coupling": CouplingFlow, "autoregressive": AutoregressiveFlow}[card["flow"]]
    return Architecture(
        encoders.Histogram(**settings),
        flow(n_layers=card["n_layers"], n_bins=card["n_bins"], width=card["flow_width"]),
        card["n_summaries"],
    )
