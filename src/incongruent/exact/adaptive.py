r"""Adaptive importance sampling of the posterior of one person.

In each round a proposal is fitted to all weighted draws so far, and more draws come from it:

1. Weights are tempered, w^gamma with the largest gamma <= 1 that leaves an effective number of
   `fewest_to_fit` draws, so that a poor start is not taken for the posterior.
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
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import optimize, special

from incongruent.exact.importance import Weights, largest_k_hat, systematic, weigh
from incongruent.exact.sampled import Sampled
from incongruent.exact.student_mixtures import StudentMixture, mixture_of
from incongruent.exact.target import Target
from incongruent.posterior.draws import BY_ADAPTIVE

Array = np.ndarray

N_PER_ROUND, N_PER_PARAMETER = 400, 60
"""Draws of a round: so many, or so many for each parameter where that is more."""
MOST_ROUNDS = 30
KEPT_ROUNDS, KEPT_WHILE_TEMPERED = 10, 2
"""So many of the last rounds are weighed together; fewer as long as weights are tempered."""
LOWEST_GAMMA = 1e-9
"""Weights are tempered so far at most."""
ENOUGH = 800.0
"""An effective number of draws that is enough."""
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
        return _n_effective(self.log_weights) / len(self.z)


@dataclass(frozen=True, eq=False)
class Adapted:
    """Weighted draws of one person.

    Attributes:
        z: (draw, parameter), on the real line.
        log_likelihood: (draw,), exact.
        log_density: (draw,) of the target on the real line, up to the evidence.
        log_q: (draw,) of their proposal.
        weights: of the draws; with a leading axis of one person.
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
        return _is_good(self.weights, n_draws, fewest_to_fit(n_parameters), largest_k_hat(n_draws))


@dataclass(frozen=True, eq=False)
class Start:
    """Weighted draws to begin with.

    Attributes:
        z: (draw, parameter), on the real line.
        log_weights: (draw,), unnormalised; -inf for draws that are not to be used.
    """

    z: Array
    log_weights: Array

    @property
    def n_effective(self) -> float:
        """The effective number of draws."""
        return _n_effective(self.log_weights)

    @classmethod
    def at_draws(
        cls, z: Float[Array, "draw parameter"], log_weights: Float[Array, " draw"]
    ) -> Start:
        """Draws with weights, of which those that are not finite count for nothing."""
        return cls(z, np.where(np.isfinite(log_weights), log_weights, -np.inf))

    @classmethod
    def at_the_prior(cls, target: Target, n_parameters: int, rng: np.random.Generator) -> Start:
        """Draws of a standard normal distribution, weighed by the density.

        That is the prior itself where its parameters are independent, and near it where not.
        """
        z = rng.standard_normal((N_PER_ROUND, n_parameters))
        log_q = -0.5 * (z**2).sum(axis=1)
        return cls(z, target.log_density(z) - log_q)


def fewest_to_fit(n_parameters: int) -> float:
    """The effective number of draws to which a proposal may be fitted."""
    return max(60.0, 25.0 * n_parameters)


def adapt(
    target: Target,
    starts: Sequence[Start],
    rng: np.random.Generator,
    *,
    enough: float = ENOUGH,
    stopped: Callable[[], bool] = lambda: False,
) -> Adapted | None:
    """Sample the posterior of one person.

    Args:
        target: its density.
        starts: where sampling begins; what is found from each is pooled.
        rng: the source of randomness.
        enough: the effective number of draws that is wanted.
        stopped: whether the result is not wanted any more; called before every round.

    Returns:
        None when it was stopped, or nothing with a density above 0 was found.
    """
    adapting = [_Adapting.run(target, start, rng, stopped) for start in starts]
    rounds = [each for one in adapting for each in one.rounds]
    if stopped() or not any(np.isfinite(each.log_density).any() for each in rounds):
        return None
    last, n_last = _last_draws(target, rounds, enough, rng, stopped)
    if stopped() or not np.isfinite(last.log_density).any():
        return None
    n_before = sum(one.n_likelihoods for one in adapting)
    disagreement = _disagreement([one.rounds for one in adapting if one.settled])
    return _accurate(target, last, n_before + n_last, disagreement)


@dataclass(frozen=True, eq=False)
class _Adapting:
    """What was found from one start.

    Attributes:
        rounds: the last ones.
        n_likelihoods: how many were computed for all rounds.
        settled: whether a last proposal can be fitted, without tempering.
    """

    rounds: list[Round]
    n_likelihoods: int
    settled: bool

    @classmethod
    def run(
        cls,
        target: Target,
        start: Start,
        rng: np.random.Generator,
        stopped: Callable[[], bool],
    ) -> _Adapting:
        """Adapt until the last proposal can be fitted."""
        rounds: list[Round] = []
        z, log_weights, n = start.z, start.log_weights, 0
        d = z.shape[1]
        fewest, n_draws = fewest_to_fit(d), max(N_PER_ROUND, N_PER_PARAMETER * d)
        for _ in range(MOST_ROUNDS):
            if stopped() or not np.isfinite(log_weights).any():
                break
            weights, gamma = tempered(log_weights, fewest)
            kept = KEPT_ROUNDS if gamma == 1.0 else KEPT_WHILE_TEMPERED
            new = Round.of(target, mixture_of(z, weights, rng), n_draws, rng)
            rounds, n = [*rounds[1 - kept :], new], n + n_draws
            z, log_weights = _weighed(rounds)
            if gamma == 1.0 and _n_effective(log_weights) >= 2.0 * fewest:
                return cls(rounds, n, settled=True)
        return cls(rounds, n, settled=False)


def _last_draws(
    target: Target,
    rounds: list[Round],
    enough: float,
    rng: np.random.Generator,
    stopped: Callable[[], bool],
) -> tuple[Round, int]:
    """The draws that count, and how many likelihoods it took."""
    n_likelihoods = 0
    while True:
        z, log_weights = _weighed(rounds)
        weights, _ = tempered(log_weights, fewest_to_fit(z.shape[1]))
        n = _n_needed(rounds[-1].efficiency, enough)
        last = Round.of(target, mixture_of(z, weights, rng), n, rng)
        n_likelihoods += n
        is_good = _is_good(_weights_of(last), n, 0.75 * enough, GOOD_K_HAT)
        if is_good or n_likelihoods >= MOST_LIKELIHOODS or stopped():
            return last, n_likelihoods
        rounds = [*rounds[1 - KEPT_ROUNDS :], last]


def _n_needed(efficiency: float, enough: float) -> int:
    """The number of draws that will be as good as enough independent ones."""
    return int(np.clip(1.1 * enough / max(efficiency, 1e-9), enough, MOST_LAST_DRAWS))


def _weights_of(last: Round) -> Weights:
    """Weights of draws against their own proposal, of one person."""
    return weigh(last.log_weights[None], np.zeros((1, len(last.z))))


def tempered(
    log_weights: Float[Array, " draw"], fewest: float
) -> tuple[Float[Array, " draw"], float]:
    """Weights (draw,) with sum 1, tempered as far as an effective number asks for; and gamma."""
    if _n_effective(log_weights) >= fewest:
        return special.softmax(log_weights), 1.0

    def excess(gamma: float) -> float:
        return _n_effective(gamma * log_weights) - fewest

    if excess(LOWEST_GAMMA) <= 0.0:  # fewer draws than that are possible at all
        return special.softmax(LOWEST_GAMMA * log_weights), LOWEST_GAMMA
    found: Any = optimize.brentq(excess, 1e-6, 1.0, xtol=1e-4) if excess(1e-6) > 0.0 else 0.0
    if found < 1e-2:  # too small to be found so coarsely
        found = math.exp(_log_root(excess))
    gamma = min(float(found), 1.0 - 1e-9)
    return special.softmax(gamma * log_weights), gamma


def _log_root(excess: Callable[[float], float]) -> float:
    """The log of the gamma at which an excess is 0, between the lowest gamma and 1."""

    def at_log(log_gamma: float) -> float:
        return excess(math.exp(log_gamma))

    found: Any = optimize.brentq(at_log, math.log(LOWEST_GAMMA), 0.0, xtol=1e-4)
    return float(found)


def _n_effective(log_weights: Array) -> float:
    """The effective number of draws with these weights (draw,); 0 where all of them are 0."""
    if not np.isfinite(log_weights).any():
        return 0.0
    return float(1.0 / (special.softmax(log_weights) ** 2).sum())


def _weighed(rounds: Sequence[Round]) -> tuple[Array, Array]:
    """All draws (draw, parameter) of rounds, and their log weights (draw,)."""
    z = np.concatenate([each.z for each in rounds])
    log_density = np.concatenate([each.log_density for each in rounds])
    return z, log_density - _log_mixture(rounds, z)


def _log_mixture(rounds: Sequence[Round], z: Array) -> Array:
    """Log density at z (draw, parameter) of all proposals together, (draw,)."""
    each = np.stack([one.proposal.log_density(z) for one in rounds])
    counts = np.array([len(one.z) for one in rounds])
    return np.asarray(special.logsumexp(each, axis=0, b=(counts / counts.sum())[:, None]))


def _is_good(weights: Weights, n_draws: int, enough: float, largest: float) -> bool:
    """Whether the effective number of draws is enough, and k-hat not larger than a limit."""
    effective = float(weights.ess[0]) * n_draws
    return effective >= enough and bool(weights.k_hat[0] <= largest)


def _accurate(target: Target, last: Round, n_likelihoods: int, disagreement: float) -> Adapted:
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
    _, log_weights = _weighed(rounds)
    return float(np.asarray(special.logsumexp(log_weights))) - math.log(len(log_weights))
