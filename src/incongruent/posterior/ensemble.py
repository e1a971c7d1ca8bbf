r"""Ensembles: several posteriors for the same simulator as one, q(theta | x) = 1/K sum_k q_k(theta
| x), and how much they disagree.

Networks trained with different seeds differ where training left something open, so their
disagreement

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
from incongruent.simulation.simulator import Simulator

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
            other = member.simulator
            if (other.model.name, other.model.columns, other.prior.to_json()) != (
                first.model.name,
                first.model.columns,
                first.prior.to_json(),
            ):
                raise ValueError(
                    f"Expected posteriors for the same model and prior, {first}; got one for"
                    f" {other}."
                )

    @property
    def simulator(self) -> Simulator:
        """Model, prior and design of the first member."""
        return self.members[0].simulator

    @property
    def history(self) -> None:
        """How training went is on record in each of the ``members``, not in the ensemble."""
        return None

    @property
    def notes(self) -> Mapping[str, Any]:
        """What is on record: of how many networks it is made. Their own notes are in ``members``;
        no measured quality holds for the ensemble.
        """
        return {"members": len(self.members)}

    def unguarded(self) -> Ensemble:
        """The same ensemble without flags and refusals, see `Posterior.unguarded`."""
        return Ensemble([member.unguarded() for member in self.members])

    def admit(self, study: Trials, *, anyway: bool = False) -> Admission:
        """The study as the first member admits it, see `Posterior.admit`."""
        return self.members[0].admit(study, anyway=anyway)

    def summaries(self, study: Trials) -> Array:
        """Learned summary statistics of each person, those of all members side by side, (person,
        summary).
        """
        return np.concatenate([member.summaries(study) for member in self.members], axis=1)

    def sample(
        self, study: Trials, n_draws: int = 1000, *, seed: int, anyway: bool = False
    ) -> Draws:
        """Draws of the mixture for everybody; arguments and errors as in `Posterior.sample`. Each
        member gives as many of them, up to one.
        """
        if n_draws < len(self.members):
            raise ValueError(
                f"Expected at least {len(self.members)} draws, one of each member; got {n_draws}."
            )
        flags = self.admit(study, anyway=anyway).flags
        drawn, log_q = self.unguarded()._drawn(study, -(-n_draws // len(self.members)), seed)
        keep = [
            stream(seed, Purpose.MEMBERS_ORDER, *place).permutation(drawn.theta.shape[1])[:n_draws]
            for place in places_of(study.names)
        ]
        rows = np.array(keep).reshape(len(study), n_draws)
        mixture = special.logsumexp(log_q, axis=0) - np.log(len(self.members))
        theta, log_q = (
            np.take_along_axis(drawn.theta, rows[..., None], 1),
            np.take_along_axis(mixture, rows, 1),
        )
        return replace(drawn, theta=theta, log_q=log_q, flags=flags)

    def log_prob(self, theta: Array, study: Trials) -> Array:
        """Log q(theta | trials) of the mixture, at theta as in `Posterior.log_prob`."""
        return special.logsumexp(
            [member.log_prob(theta, study) for member in self.members], axis=0
        ) - np.log(len(self.members))

    def disagreement(self, study: Trials, n_draws: int = 500, *, seed: int) -> Array:
        """How much the members disagree about each person, (person,), in nats: 0 when not at all,
        log K when no two overlap.
        """
        self.admit(study)
        _, log_q = self.unguarded()._drawn(study, n_draws, seed)
        log_share = log_q - special.logsumexp(
            log_q, axis=0
        )  # of each member in the mixture, (K, person, draw)
        return np.log(len(self.members)) + (np.exp(log_share) * log_share).sum(axis=0).mean(axis=1)

    def _drawn(self, study: Trials, n_each: int, seed: int) -> tuple[Draws, Array]:
        """Draws of the members one after the other, (person, K n, parameter), and log q of all
        draws under each, (K, person, K n).
        """
        parts = [
            member.sample(study, n_each, seed=child(seed, Purpose.MEMBERS, k))
            for k, member in enumerate(self.members)
        ]
        theta = np.concatenate([part.theta for part in parts], axis=1)
        log_q = np.stack([member.log_prob(theta, study) for member in self.members])
        return replace(parts[0], theta=theta, log_q=log_q.mean(axis=0)), log_q
