r"""Ensembles: the mixture of several posteriors for the same simulator, and how far they disagree.

The mixture is q(theta | x) = 1/K sum_k q_k(theta | x). Networks trained with different seeds differ
where training left something open, so their disagreement

    D(x) = 1/K sum_k KL(q_k || q) = E_q[log K + sum_k r_k log r_k],    r_k = q_k / sum_j q_j

(0 when all agree, log K when no two overlap) shows for which people a single network should not be
trusted. The second form, a mean of numbers that are never negative, is the one that is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from incongruent.data.basics.streams import Purpose, child, places_of, stream
from incongruent.data.trials import Trials
from incongruent.posterior.draws import Draws
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.scope import Admission
from incongruent.simulation.recording import Recording
from incongruent.simulation.simulator import Simulator
from incongruent.simulation.windows import Range

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several posteriors as one.

    Args:
        members: at least two, for the same model, prior and columns.

    Raises:
        ValueError: when they are for different models or priors.
    """

    members: tuple[Posterior, ...]

    def __init__(self, members: Sequence[Posterior]) -> None:
        object.__setattr__(self, "members", tuple(members))
        if len(self.members) < 2:
            raise ValueError(
                f"Expected at least two posteriors for an ensemble; got {len(self.members)}."
            )
        first = self.members[0].simulator
        for member in self.members[1:]:
            if _identity(member.simulator) != _identity(first):
                raise ValueError(
                    f"Expected posteriors for the same model and prior, {first}; got one for"
                    f" {member.simulator}."
                )

    @property
    def simulator(self) -> Simulator:
        """Model, prior and design of the first member."""
        return self.members[0].simulator

    @property
    def learned(self) -> Simulator | None:
        """What the first member has learned from, see `Posterior`."""
        return self.members[0].learned

    @property
    def history(self) -> None:
        """None: how training went is known of each of the ``members``, not of the ensemble."""
        return None

    @property
    def notes(self) -> Mapping[str, Any]:
        """The number of networks of which it is made.

        Their own notes are in ``members``; no measured quality holds for the ensemble.
        """
        return {"members": len(self.members)}

    def unguarded(self) -> Ensemble:
        """The same ensemble without flags and refusals, see `Posterior.unguarded`."""
        return Ensemble([member.unguarded() for member in self.members])

    def recorded_as(
        self,
        recording: Recording | None = None,
        *,
        window: Range | None = None,
        deadline: float | None = None,
    ) -> Ensemble:
        """The same ensemble for data recorded in another way, see `Posterior.recorded_as`."""
        return Ensemble(
            [
                member.recorded_as(recording, window=window, deadline=deadline)
                for member in self.members
            ]
        )

    def admit(self, study: Trials, *, anyway: bool = False) -> Admission:
        """The study as the first member admits it, see `Posterior.admit`."""
        return self.members[0].admit(study, anyway=anyway)

    def summaries(self, study: Trials) -> Array:
        """Learned summary statistics of each person, (person, summary): those of all members."""
        return np.concatenate([member.summaries(study) for member in self.members], axis=1)

    def sample(
        self, study: Trials, n_draws: int = 1000, *, seed: int, anyway: bool = False
    ) -> Draws:
        """Draws of the mixture for everybody; arguments and errors as in `Posterior.sample`.

        The members give equal numbers of them, up to one.
        """
        if n_draws < len(self.members):
            raise ValueError(
                f"Expected at least {len(self.members)} draws, one of each member; got {n_draws}."
            )
        flags = self.admit(study, anyway=anyway).flags
        drawn, log_q = self.unguarded()._drawn(study, -(-n_draws // len(self.members)), seed)
        rows = _chosen(study, drawn.theta.shape[1], n_draws, seed)
        chosen = _at_rows(replace(drawn, log_q=self._mixed(log_q)), rows)
        return replace(chosen, flags=flags)

    def log_prob(self, theta: Array, study: Trials) -> Array:
        """Log q(theta | trials) of the mixture, at theta as in `Posterior.log_prob`."""
        return self._mixed([member.log_prob(theta, study) for member in self.members])

    def _mixed(self, log_q: Array | list[Array]) -> Array:
        """The log density of the mixture from log densities of its members, (member, …)."""
        return special.logsumexp(log_q, axis=0) - np.log(len(self.members))

    def disagreement(self, study: Trials, n_draws: int = 500, *, seed: int) -> Array:
        """How much the members disagree about each person, (person,), in nats.

        It is 0 when they agree, and log K when no two overlap.
        """
        self.admit(study)
        _, log_q = self.unguarded()._drawn(study, n_draws, seed)
        log_share = log_q - special.logsumexp(log_q, axis=0)  # in the mixture, (K, person, draw)
        return np.log(len(self.members)) + (np.exp(log_share) * log_share).sum(axis=0).mean(axis=1)

    def _drawn(self, study: Trials, n_each: int, seed: int) -> tuple[Draws, Array]:
        """Draws of all members, and the log density of each draw under each member.

        Draws are (person, K n, parameter), those of one member after those of the other; log
        densities (K, person, K n).
        """
        parts = self._sampled_by_each(study, n_each, seed)
        theta = np.concatenate([part.theta for part in parts], axis=1)
        log_q = np.stack([member.log_prob(theta, study) for member in self.members])
        return replace(parts[0], theta=theta, log_q=log_q.mean(axis=0)), log_q

    def _sampled_by_each(self, study: Trials, n_each: int, seed: int) -> list[Draws]:
        """Draws of every member, each with a seed of its own."""
        return [
            member.sample(study, n_each, seed=child(seed, Purpose.MEMBERS, k))
            for k, member in enumerate(self.members)
        ]


def _at_rows(draws: Draws, rows: Array) -> Draws:
    """Some draws of each person, at these positions (person, draw)."""
    theta = np.take_along_axis(draws.theta, rows[..., None], axis=1)
    return replace(draws, theta=theta, log_q=np.take_along_axis(draws.log_q, rows, axis=1))


def _identity(simulator: Simulator) -> tuple[Any, ...]:
    """What the posteriors of an ensemble must have in common: model, columns and prior."""
    return simulator.model.name, simulator.model.columns, simulator.prior.to_json()


def _chosen(study: Trials, n_drawn: int, n_draws: int, seed: int) -> Array:
    """Positions of as many draws as are wanted, in random order, (person, draw)."""
    keep = [
        stream(seed, Purpose.MEMBERS_ORDER, *place).permutation(n_drawn)[:n_draws]
        for place in places_of(study.names)
    ]
    return np.array(keep).reshape(len(study), n_draws)
