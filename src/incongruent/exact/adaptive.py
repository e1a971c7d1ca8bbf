r"""Adaptive importance sampling of the posterior of one person.

In each round a proposal is fitted to all weighted draws so far, and more draws come from it:

1. Weights are tempered, w^gamma with the largest gamma <= 1 that leaves an effective number of
   `Effort.fewest_to_fit` draws, so that a poor start is not taken for the posterior.
2. A mixture of t distributions is fitted to them (`student_mixtures`).
3. New draws from it are weighed, with those of the last rounds, against the mixture of all their
   proposals (deterministic mixture weights: Veach & Guibas 1995; Owen & Zhou 2000; AMIS: Cornuet,
   Marin, Mira & Robert 2012, Scandinavian Journal of Statistics 39).

When twice that effective number has been reached without tempering, a last proposal is fitted. The
draws that count come from it alone, so that nothing they say has decided where they lie; evidence
from adapting draws would be some hundredths of a nat too small. Their number follows from how good
the proposals before were. Where k-hat or the effective number is not good, the last step is taken
again.

A start that has missed a mode cannot be seen from its own weights. So a second one may begin at the
prior, and the last proposal is fitted to the draws of both: where they found different modes their
evidences differ, and the last draws have both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

from incongruent.exact.effort import THOROUGH, Effort
from incongruent.exact.importance import Weights, largest_k_hat, systematic, weigh
from incongruent.exact.proposals import proposal_for
from incongruent.exact.sampled import Sampled
from incongruent.exact.student_mixtures import StudentMixture
from incongruent.exact.target import Target
from incongruent.exact.tempering import n_effective
from incongruent.posterior.draws import BY_ADAPTIVE

Array = np.ndarray

N_AT_THE_PRIOR = 400
"""Draws of a start at the prior."""
MOST_ROUNDS = 30
KEPT_ROUNDS, KEPT_WHILE_TEMPERED = 10, 2
"""So many of the last rounds are weighed together; fewer as long as weights are tempered."""
MOST_LAST_DRAWS = 4000
GOOD_K_HAT = 0.5
"""The last proposal is fitted again until k-hat is no larger: weights then have a variance."""
MOST_LIKELIHOODS = 12_000
"""… or so many likelihoods were computed for last draws."""
N_HEAVIEST = 200
"""Draws of the largest weight, of which the needed level of accuracy is judged."""
LEAST_WEIGHT = 12.0
"""Draws with log weights so much less than the largest stay as they are at a finer level."""


@dataclass(frozen=True, eq=False)
class Round:
    """Draws from one proposal.

    Attributes:
        proposal: where they come from.
        z: (draw, parameter), on the real line.
        log_likelihood: (draw,).
        log_density: (draw,) of the target, up to a constant.
    """

    proposal: StudentMixture
    z: Array
    log_likelihood: Array
    log_density: Array

    @classmethod
    def of(
        cls, target: Target, proposal: StudentMixture, n: int, rng: np.random.Generator
    ) -> Round:
        """So many draws from a proposal."""
        z = proposal.sample(n, rng)
        log_likelihood = target.log_likelihood(z)
        return cls(proposal, z, log_likelihood, log_likelihood + target.log_prior(z))

    @property
    def log_weights(self) -> Array:
        """Against the round's own proposal, (draw,)."""
        return self.log_density - self.proposal.log_density(self.z)

    @property
    def efficiency(self) -> float:
        """The share of the draws that is effective."""
        return n_effective(self.log_weights) / len(self.z)


@dataclass(frozen=True, eq=False)
class Adapted:
    """Weighted draws of one person.

    Attributes:
        z: (draw, parameter), on the real line.
        log_likelihood: (draw,), exact.
        log_density: (draw,) of the target on the real line, up to the evidence.
        log_q: (draw,) of their proposal.
        weights: of the draws; with a leading axis of one person.
        effort: how much was done for them.
        n_likelihoods: how many were computed for them, starts left aside.
        level: of accuracy.
        accurate: whether a finer level would change nothing that matters.
        disagreement: nats between the evidences of two starts; NaN where sampling did not settle
            from both.
    """

    z: Array
    log_likelihood: Array
    log_density: Array
    log_q: Array
    weights: Weights
    effort: Effort
    n_likelihoods: int
    level: int
    accurate: bool
    disagreement: float

    def drawn(self, target: Target, n_draws: int, rng: np.random.Generator) -> Sampled:
        """So many draws, each as often as its weight says."""
        rows = systematic(self.weights.log_weights[0], n_draws, rng.random())
        rows = rng.permutation(rows)
        theta, log_likelihood = target.prior.from_real(self.z[rows]), self.log_likelihood[rows]
        return Sampled(
            theta=theta,
            log_likelihood=log_likelihood,
            log_joint=log_likelihood + target.prior.log_prob(theta),
            log_evidence=float(self.weights.log_evidence[0]),
            log_evidence_error=float(self.weights.log_evidence_error[0]),
            by=BY_ADAPTIVE,
            trusted=self.trusted,
            accurate=self.accurate,
            n_effective=self.n_effective,
            k_hat=float(self.weights.k_hat[0]),
            efficiency=float(self.weights.ess[0]),
            disagreement=self.disagreement,
        )

    @property
    def n_effective(self) -> float:
        """The effective number of draws."""
        return float(self.weights.ess[0]) * len(self.z)

    @property
    def trusted(self) -> bool:
        """Whether k-hat and the effective number are good enough to use the draws."""
        n_draws, n_parameters = self.z.shape
        return _is_good(
            self.weights, n_draws, self.effort.fewest_to_fit(n_parameters), largest_k_hat(n_draws)
        )


@dataclass(frozen=True, eq=False)
class Start:
    """Weighted draws to begin with.

    Attributes:
        z: (draw, parameter), on the real line.
        log_weights: (draw,), unnormalised; -inf for draws that are not to be used.
        log_density: (draw,) of the target, up to a constant; None where it is not known.
    """

    z: Array
    log_weights: Array
    log_density: Array | None = None

    @property
    def n_effective(self) -> float:
        """The effective number of draws."""
        return n_effective(self.log_weights)

    @classmethod
    def at_draws(
        cls,
        z: Float[Array, "draw parameter"],
        log_weights: Float[Array, " draw"],
        log_density: Float[Array, " draw"] | None = None,
    ) -> Start:
        """Draws with weights, of which those that are not finite count for nothing."""
        return cls(z, np.where(np.isfinite(log_weights), log_weights, -np.inf), log_density)

    @classmethod
    def at_the_prior(cls, target: Target, n_parameters: int, rng: np.random.Generator) -> Start:
        """Draws of a standard normal distribution, weighed by the density.

        That is the prior itself where its parameters are independent, and near it where not.
        """
        z = rng.standard_normal((N_AT_THE_PRIOR, n_parameters))
        log_q = -0.5 * (z**2).sum(axis=1)
        log_density = target.log_density(z)
        return cls(z, log_density - log_q, log_density)


def adapt(
    target: Target,
    starts: Sequence[Start],
    rng: np.random.Generator,
    *,
    effort: Effort = THOROUGH,
    stopped: Callable[[], bool] = lambda: False,
) -> Adapted | None:
    """Sample the posterior of one person.

    Args:
        target: its density.
        starts: where sampling begins; what is found from each is pooled.
        rng: the source of randomness.
        effort: how much is done.
        stopped: whether the result is not wanted any more; called before every round.

    Returns:
        None when it was stopped, or nothing with a density above 0 was found.
    """
    adapting = [_Adapting.run(target, start, rng, effort, stopped) for start in starts]
    rounds = [each for one in adapting for each in one.rounds]
    if stopped() or not any(np.isfinite(each.log_density).any() for each in rounds):
        return None
    if len(adapting) == 1 and adapting[0].complete:
        last, n_last = rounds[-1], 0
    else:
        last, n_last = _last_draws(target, rounds, effort, rng, stopped)
    if stopped() or not np.isfinite(last.log_density).any():
        return None
    n_before = sum(one.n_likelihoods for one in adapting)
    disagreement = _disagreement([one.rounds for one in adapting if one.settled])
    return _accurate(target, last, effort, n_before + n_last, disagreement)


@dataclass(frozen=True, eq=False)
class _Adapting:
    """What was found from one start.

    Attributes:
        rounds: the last ones.
        n_likelihoods: how many were computed for all rounds.
        settled: whether a last proposal can be fitted, without tempering.
        complete: whether the last round is good enough to count.
    """

    rounds: list[Round]
    n_likelihoods: int
    settled: bool
    complete: bool = False

    @classmethod
    def run(
        cls,
        target: Target,
        start: Start,
        rng: np.random.Generator,
        effort: Effort,
        stopped: Callable[[], bool],
    ) -> _Adapting:
        """Adapt until the last proposal can be fitted."""
        rounds: list[Round] = []
        z, log_weights, log_density, n = start.z, start.log_weights, start.log_density, 0
        d = z.shape[1]
        fewest, n_draws = effort.fewest_to_fit(d), effort.draws_of_a_round(d)
        for _ in range(MOST_ROUNDS):
            if stopped() or not np.isfinite(log_weights).any():
                break
            proposal, gamma = proposal_for(z, log_weights, log_density, effort, rng)
            kept = KEPT_ROUNDS if gamma == 1.0 else KEPT_WHILE_TEMPERED
            new = Round.of(target, proposal, n_draws, rng)
            rounds, n = [*rounds[1 - kept :], new], n + n_draws
            if effort.at_once and _suffices(new, effort):
                return cls(rounds, n, settled=True, complete=True)
            z, log_weights, log_density = _weighed(rounds)
            if gamma == 1.0 and n_effective(log_weights) >= effort.settled * fewest:
                return cls(rounds, n, settled=True)
        return cls(rounds, n, settled=False)


def _last_draws(
    target: Target,
    rounds: list[Round],
    effort: Effort,
    rng: np.random.Generator,
    stopped: Callable[[], bool],
) -> tuple[Round, int]:
    """The draws that count, and how many likelihoods it took."""
    n_likelihoods = 0
    while True:
        proposal, _ = proposal_for(*_weighed(rounds), effort, rng)
        n = _n_needed(rounds[-1].efficiency, effort.enough)
        last = Round.of(target, proposal, n, rng)
        n_likelihoods += n
        if _suffices(last, effort) or n_likelihoods >= MOST_LIKELIHOODS or stopped():
            return last, n_likelihoods
        rounds = [*rounds[1 - KEPT_ROUNDS :], last]


def _suffices(last: Round, effort: Effort) -> bool:
    """Whether draws are good enough to count."""
    return _is_good(_weights_of(last), len(last.z), 0.75 * effort.enough, GOOD_K_HAT)


def _n_needed(efficiency: float, enough: float) -> int:
    """The number of draws that will be as good as enough independent ones."""
    return int(np.clip(1.1 * enough / max(efficiency, 1e-9), enough, MOST_LAST_DRAWS))


def _weights_of(last: Round) -> Weights:
    """Weights of draws against their own proposal, of one person."""
    return weigh(last.log_weights[None], np.zeros((1, len(last.z))))


def _weighed(rounds: Sequence[Round]) -> tuple[Array, Array, Array]:
    """All draws (draw, parameter) of rounds, their log weights and log densities (draw,)."""
    z = np.concatenate([each.z for each in rounds])
    log_density = np.concatenate([each.log_density for each in rounds])
    return z, log_density - _log_mixture(rounds, z), log_density


def _log_mixture(rounds: Sequence[Round], z: Array) -> Array:
    """Log density at z (draw, parameter) of all proposals together, (draw,)."""
    each = np.stack([one.proposal.log_density(z) for one in rounds])
    counts = np.array([len(one.z) for one in rounds])
    return np.asarray(special.logsumexp(each, axis=0, b=(counts / counts.sum())[:, None]))


def _is_good(weights: Weights, n_draws: int, enough: float, largest: float) -> bool:
    """Whether the effective number of draws is enough, and k-hat not larger than a limit."""
    effective = float(weights.ess[0]) * n_draws
    return effective >= enough and bool(weights.k_hat[0] <= largest)


def _accurate(
    target: Target, last: Round, effort: Effort, n_likelihoods: int, disagreement: float
) -> Adapted:
    """The last draws at the level of accuracy that they need."""
    log_weights, log_likelihood = last.log_weights, last.log_likelihood.copy()
    log_q = last.proposal.log_density(last.z)
    finer, accurate = target.accurate_near(_heaviest(last.z, log_weights))
    if finer.level > target.level:
        matters = log_weights > log_weights.max() - LEAST_WEIGHT
        log_likelihood[matters] = finer.log_likelihood(last.z[matters])
    log_density = log_likelihood + target.log_prior(last.z)
    return Adapted(
        z=last.z,
        log_likelihood=log_likelihood,
        log_density=log_density,
        log_q=log_q,
        weights=weigh(log_density[None], log_q[None]),
        effort=effort,
        n_likelihoods=n_likelihoods,
        level=finer.level,
        accurate=accurate,
        disagreement=disagreement,
    )


def _heaviest(z: Array, log_weights: Array) -> Array:
    """The draws (draw, parameter) with the largest weights."""
    return z[np.argsort(log_weights)[-N_HEAVIEST:]]


def _disagreement(settled: list[list[Round]]) -> float:
    """Nats between the largest and the smallest evidence of several starts; NaN for fewer."""
    if len(settled) < 2:
        return math.nan
    return float(np.ptp([_log_evidence(rounds) for rounds in settled]))


def _log_evidence(rounds: Sequence[Round]) -> float:
    """The log of the mean weight."""
    _, log_weights, _ = _weighed(rounds)
    return float(np.asarray(special.logsumexp(log_weights))) - math.log(len(log_weights))
