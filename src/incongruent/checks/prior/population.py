r"""Does the prior agree with the people in location and spread?

On the scale on which the network works, every parameter of a prior of independent parameters is
standard normal. A population whose parameter k has mean eta and log SD lambda there gives the data
of person i the likelihood p(x_i | eta, lambda), whose slopes at the prior (0, 0) are

    d / d eta = m_i                    d / d lambda = m_i^2 + v_i - 1

with m_i, v_i the posterior mean and variance of z_k. Their sums over people are the scores (Rao
1948); C, the covariance of the slopes, is the information. One step, C^-1 (sum of slopes),
estimates all locations and spreads at once, so that a shift of one parameter is not blamed on
another that trades off with it. Slopes, C and the null distribution come from simulated people of
the very same designs, so that an imperfect network does not make the test wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from incongruent.checks.replicas import matched
from incongruent.checks.simultaneous import holm
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

LEVEL = 0.05
INFORMED = 0.2
"""Less contraction than this, and the data say nothing about a parameter's prior."""
N_NULL = 9999
"""Simulated studies."""
FEWEST_REPLICAS = 20
WORDS = {
    "up": "People's {0} lies above the prior: move it up",
    "down": "People's {0} lies below the prior: move it down",
    "wider": "People differ more in {0} than the prior says: widen it",
    "narrower": "People differ less in {0} than the prior says: it may be narrower",
}
"""Sentences for each direction in which a prior should change, with ``{0}`` for the parameter."""


@dataclass(frozen=True, eq=False)
class PriorCheck:
    """Scores of a prior's locations and spreads; standardised, 0 when the prior fits.

    Attributes:
        parameters: names.
        location: (parameter,) how far people lie above the prior, in standard errors; NaN where the
            data are silent.
        spread: (parameter,) how much more people differ than the prior says, in standard errors.
        p_location: (parameter,) two-sided, from simulated studies.
        p_spread: (parameter,).
        adjusted_location: (parameter,) the same after Holm's correction for all of these tests.
        adjusted_spread: (parameter,).
        contraction: (parameter,) mean over simulated people of the same designs.
        n_people: how many people were tested.
    """

    parameters: tuple[str, ...]
    location: Float[Array, " parameter"]
    spread: Float[Array, " parameter"]
    p_location: Float[Array, " parameter"]
    p_spread: Float[Array, " parameter"]
    adjusted_location: Float[Array, " parameter"]
    adjusted_spread: Float[Array, " parameter"]
    contraction: Float[Array, " parameter"]
    n_people: int

    @property
    def silent(self) -> tuple[str, ...]:
        """Parameters about whose prior the data are not informative."""
        informed = self.contraction >= INFORMED
        return tuple(name for name, yes in zip(self.parameters, informed, strict=True) if not yes)

    @property
    def p_value(self) -> float:
        """The smallest adjusted p; 1 where nothing could be tested."""
        values = np.concatenate([self.adjusted_location, self.adjusted_spread])
        return float(np.nanmin(values)) if np.isfinite(values).any() else 1.0

    def moves(self, level: float = LEVEL) -> tuple[tuple[str, str], ...]:
        """What to change, the clearest first: (parameter, "up", "down", "wider" or "narrower").

        A parameter that has to move is not called wider too, since people far from the prior's
        centre look spread from there; `suggest_prior` tells.
        """
        shifts = _directions(self.location, self.adjusted_location <= level, "down", "up")
        widths = _directions(self.spread, self.adjusted_spread <= level, "narrower", "wider")
        moved = {i for _, i, _ in shifts}
        widths = [found for found in widths if not (found[2] == "wider" and found[1] in moved)]
        found = ((size, self.parameters[i], word) for size, i, word in shifts + widths)
        return tuple((name, word) for _, name, word in sorted(found, reverse=True))

    def table(self) -> pd.DataFrame:
        """One row per parameter.

        Columns: location, p_location, adjusted_location, spread, p_spread, adjusted_spread,
        contraction.
        """
        return pd.DataFrame(
            {
                "parameter": self.parameters,
                "location": self.location,
                "p_location": self.p_location,
                "adjusted_location": self.adjusted_location,
                "spread": self.spread,
                "p_spread": self.p_spread,
                "adjusted_spread": self.adjusted_spread,
                "contraction": self.contraction,
            }
        )

    def sentences(self) -> tuple[str, ...]:
        """What was found, one sentence each."""
        said = [self._sentence(name, word) for name, word in self.moves()] or [self._all_is_well]
        if self.silent:
            said.append(
                f"The data say too little about the prior of {', '.join(self.silent)} (contraction"
                f" below {INFORMED:g})."
            )
        return tuple(said)

    @property
    def _all_is_well(self) -> str:
        """The sentence where nothing has to move."""
        return (
            f"The prior agrees with the location and the spread of these {self.n_people} people"
            f" (smallest p = {self.p_value:.2g})."
        )

    def _sentence(self, name: str, word: str) -> str:
        """What to change about one parameter, with the score and its p-value."""
        score, p = self._test_of(name, of_location=word in ("up", "down"))
        return (
            f"{WORDS[word].format(name)} (score {score:+.1f} standard errors, p = {p:.2g} after"
            " correction for all parameters)."
        )

    def _test_of(self, name: str, *, of_location: bool) -> tuple[float, float]:
        """The score of a parameter's location or spread, and its adjusted p-value."""
        i = self.parameters.index(name)
        if of_location:
            return self.location[i], self.adjusted_location[i]
        return self.spread[i], self.adjusted_spread[i]

    def __repr__(self) -> str:
        return " ".join(self.sentences())


def _directions(
    scores: Float[Array, " parameter"],
    significant: Bool[Array, " parameter"],
    below: str,
    above: str,
) -> list[tuple[float, int, str]]:
    """The size, the parameter and the direction of every significant score."""
    return [
        (abs(scores[i]), int(i), above if scores[i] > 0 else below)
        for i in np.flatnonzero(significant)
    ]


def check_prior(
    posterior: Posterior,
    study: Trials,
    *,
    leave_out: Sequence[str] = (),
    n_draws: int = 200,
    n_simulated: int = 2000,
    seed: int,
) -> PriorCheck:
    """Test the location and the spread of every parameter's prior against the people of a study.

    Args:
        posterior: a trained one, whose prior has independent parameters.
        study: one data set a person; order and other people do not matter.
        leave_out: names of people who lie outside the simulator's scope, whose posteriors mean
            nothing.
        n_draws: posterior draws a person, for means and variances.
        n_simulated: fewest simulated people, from whom simulated studies are made.
        seed: of simulations and draws.

    Raises:
        TypeError: for a `JointPrior`, whose scale is not standard normal.
        ValueError: when nobody is left.

    Source:
        Nott, Wang, Evans & Englert (2020), Statistical Science 35(2): prior expansions and scores;
        Holm (1979).
    """
    independent_prior(posterior)
    people = usable_people(posterior, study, leave_out)
    replicas = prior_replicas(
        posterior, people, n_draws=n_draws, n_simulated=n_simulated, seed=seed
    )
    return prior_scores(posterior, people, replicas, seed=seed)


@dataclass(frozen=True, eq=False)
class PriorReplicas:
    """The slopes of simulated people, for people of given designs.

    Attributes:
        slopes: (replica, person, 2 × parameter).
        contraction: (parameter,) mean over all of them.
        n_draws: posterior draws a person.
    """

    slopes: Float[Array, "replica person test"]
    contraction: Float[Array, " parameter"]
    n_draws: int


def prior_replicas(
    posterior: Posterior, people: Trials, *, n_draws: int = 200, n_simulated: int = 2000, seed: int
) -> PriorReplicas:
    """Simulate people of the very designs, often enough for `prior_scores`.

    Arguments are those of `check_prior`.
    """
    n_replicas = _n_replicas_for(len(people), n_simulated)
    made = matched(posterior.simulator, people, n_replicas, seed=child(seed, Purpose.REPLICAS))
    mean, variance = _moments(posterior, made.trials, n_draws, child(seed, Purpose.REPLICA_DRAWS))
    return PriorReplicas(
        _slopes(mean, variance).reshape(n_replicas, len(people), -1),
        1.0 - variance.mean(axis=0),
        n_draws,
    )


def _n_replicas_for(n_people: int, n_simulated: int) -> int:
    """How many replicas of each person there are, for so many simulated people or more."""
    return max(FEWEST_REPLICAS, -(-n_simulated // n_people))


def prior_scores(
    posterior: Posterior, people: Trials, replicas: PriorReplicas, *, seed: int
) -> PriorCheck:
    """The test of `check_prior`, against given replicas.

    Several studies of the same designs can share them.
    """
    names = independent_prior(posterior).names
    observed = _slopes(
        *_moments(posterior, people, replicas.n_draws, child(seed, Purpose.PEOPLE_DRAWS))
    )
    scores, p = _scores_and_p(observed, replicas, stream(seed, Purpose.SCORES_NULL))
    location, spread = np.split(scores, 2)
    p_location, p_spread = np.split(p, 2)
    adjusted_location, adjusted_spread = np.split(holm(p), 2)
    return PriorCheck(
        parameters=names,
        location=location,
        spread=spread,
        p_location=p_location,
        p_spread=p_spread,
        adjusted_location=adjusted_location,
        adjusted_spread=adjusted_spread,
        contraction=replicas.contraction,
        n_people=len(people),
    )


def _scores_and_p(
    observed: Float[Array, "person test"], replicas: PriorReplicas, rng: np.random.Generator
) -> tuple[Float[Array, " test"], Float[Array, " test"]]:
    """Scores and p-values, each (2 × parameter,); NaN where the data are silent."""
    used = np.flatnonzero(np.tile(replicas.contraction >= INFORMED, 2))
    total, null = _one_step(observed[:, used], replicas.slopes[:, :, used], rng)
    scores, p = np.full((2, observed.shape[1]), np.nan)
    scores[used], p[used] = total, _two_sided(total, null)
    return scores, p


def _two_sided(total: Array, null: Array) -> Array:
    """Two-sided p-values of scores (test,) among those of simulated studies (study, test)."""
    above, below = (null >= total).sum(axis=0), (null <= total).sum(axis=0)
    return np.minimum(1.0, 2.0 * _share_with_observed(np.minimum(above, below), len(null)))


def _share_with_observed(n_as_extreme: Int[Array, " test"], n: int) -> Float[Array, " test"]:
    """The share of as extreme values among n and the observed one, which is one of them."""
    return (1.0 + n_as_extreme) / (n + 1.0)


def independent_prior(posterior: Posterior) -> Prior:
    """The posterior's prior.

    Raises:
        TypeError: when its parameters are not independent.
    """
    prior = posterior.simulator.prior
    if not isinstance(prior, Prior):
        raise TypeError(
            "Expected a posterior whose prior has independent parameters, an incongruent.Prior;"
            f" got {type(prior).__name__}."
        )
    return prior


def usable_people(posterior: Posterior, study: Trials, leave_out: Sequence[str]) -> Trials:
    """The people whom the network can read, without some.

    Raises:
        ValueError: when names are unknown or nobody is left.
    """
    _check_names(leave_out, study.names)
    trials = posterior.admit(study).trials
    stays = np.array([name not in set(leave_out) for name in trials.names], bool)
    rows = np.flatnonzero(stays & (trials.n_trials > 0))
    if not len(rows):
        raise ValueError(
            "Expected at least one person with usable trials who is not left out; got none."
        )
    return trials.select(rows)


def _check_names(leave_out: Sequence[str], names: tuple[str, ...]) -> None:
    """Refuse to leave out people who are not in the study."""
    unknown = sorted(set(leave_out) - set(names))
    if unknown:
        raise ValueError(
            f"Expected names of people of the study to leave out; {unknown[:5]} are not among"
            f" {names[:5]} …."
        )


def _moments(posterior: Posterior, people: Trials, n_draws: int, seed: int) -> tuple[Array, Array]:
    """Posterior mean and variance of z, each (person, parameter)."""
    theta = posterior.sample(people, n_draws, seed=seed).theta
    z = on_prior_scale(posterior.simulator.prior, theta)
    return z.mean(axis=1), z.var(axis=1, ddof=1)


def on_prior_scale(prior: AnyPrior, theta: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Theta on the scale of the network; finite also on a limit, to double precision."""
    return np.clip(prior.to_real(theta), -8.0, 8.0)


def _slopes(mean: Array, variance: Array) -> Array:
    """Slopes of the log likelihood of each person, (person, 2 × parameter).

    Those in locations come first, then those in log spreads.
    """
    return np.concatenate([mean, mean**2 + variance - 1.0], axis=1)


def _one_step(observed: Array, replicas: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Standardised one-step estimates of the study (test,) and simulated ones (study, test)."""
    n_replicas, n_people, n_tests = replicas.shape
    if not n_tests:
        return np.empty(0), np.empty((N_NULL, 0))
    center = replicas.mean(axis=0)
    solve = _solver_of(_information(replicas - center))
    of_person = (replicas - center) @ solve  # (replica, person, test)
    null = np.zeros((N_NULL, n_tests))
    for person in range(n_people):
        null += of_person[rng.integers(n_replicas, size=N_NULL), person]
    return ((observed - center) @ solve).sum(axis=0), null


def _information(centred: Float[Array, "replica person test"]) -> Float[Array, "test test"]:
    """The covariance of centred slopes (replica, person, test), summed over people."""
    return np.einsum("rij,rik->jk", centred, centred) / (len(centred) - 1)


def _solver_of(information: Float[Array, "test test"]) -> Float[Array, "test test"]:
    """The matrix (test, test) that makes standardised one-step estimates of slopes."""
    inverse = np.linalg.inv(information)
    return inverse / np.sqrt(np.diag(inverse))  # symmetric up to the scale of its columns
