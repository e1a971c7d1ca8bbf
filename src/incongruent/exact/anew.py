"""People for whom the network's draws do not serve are sampled anew.

Adaptive importance sampling is tried first. It starts from the network's draws and, where hardly
any of them is effective, from the prior as well, since such draws may have missed a mode. MCMC is
the reference, and the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from incongruent.data.basics.streams import Purpose, places_of, stream
from incongruent.data.trials import Trials
from incongruent.exact.adaptive import Adapted, Start, adapt
from incongruent.exact.effort import THOROUGH, Effort
from incongruent.exact.for_people import for_people
from incongruent.exact.likelihood import Person, people_of
from incongruent.exact.mcmc import sample_exactly
from incongruent.exact.sampled import Sampled
from incongruent.exact.target import Target, on_the_real_line
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

FEWEST_IN_START = 25.0
"""With fewer effective draws of the network a second start is made from the prior."""


def from_two_starts(
    target: Target,
    theta: Float[Array, "draw parameter"],
    log_weights: Float[Array, " draw"],
    rng: np.random.Generator,
    stopped: Callable[[], bool] = lambda: False,
    effort: Effort = THOROUGH,
) -> Adapted | None:
    """Adaptive importance sampling that begins at weighted draws and, once more, at the prior.

    Args:
        target: the density of one person.
        theta: draws of the network (draw, parameter).
        log_weights: of these draws, (draw,), unnormalised.
        rng: the source of randomness.
        stopped: whether the result is not wanted any more.
        effort: how much is done.

    Returns:
        None when it was stopped, or nothing with a density above 0 was found.
    """
    network = Start.at_draws(on_the_real_line(target.prior, theta), log_weights)
    prior = Start.at_the_prior(target, theta.shape[1], rng)
    return adapt(target, [network, prior], rng, effort=effort, stopped=stopped)


def from_draws(
    target: Target,
    theta: Float[Array, "draw parameter"],
    log_weights: Float[Array, " draw"],
    rng: np.random.Generator,
    stopped: Callable[[], bool] = lambda: False,
    effort: Effort = THOROUGH,
) -> Adapted | None:
    """Adaptive importance sampling that begins at weighted draws, as `from_two_starts` has them.

    It begins at the prior as well only where hardly any of the draws is effective.
    """
    network = Start.at_draws(on_the_real_line(target.prior, theta), log_weights)
    if network.n_effective < FEWEST_IN_START:
        return from_two_starts(target, theta, log_weights, rng, stopped, effort)
    return adapt(target, [network], rng, effort=effort, stopped=stopped)


@dataclass(frozen=True, eq=False)
class Sampler:
    """What samples some people of a study anew.

    Attributes:
        simulator: model and prior.
        people: the trials of everybody.
        places: of everybody in the tree of random streams.
        seed: of everything.
        workers: threads; one for each core when None.
        effort: how much adaptive importance sampling does for each person.
    """

    simulator: Simulator
    people: list[Person]
    places: Sequence[tuple[int, ...]]
    seed: int
    workers: int | None
    effort: Effort = THOROUGH

    @classmethod
    def of(
        cls,
        simulator: Simulator,
        study: Trials,
        seed: int,
        workers: int | None,
        effort: Effort = THOROUGH,
    ) -> Sampler:
        """The sampler of a study."""
        people, places = people_of(simulator, study), places_of(study.names)
        return cls(simulator, people, places, seed, workers, effort)

    def by_adaptation(
        self, chosen: Array, theta: Array, log_weights: Array
    ) -> list[Sampled | None]:
        """Adaptive importance sampling of the people at some positions, as many draws as before.

        It begins at theta (person, draw, parameter) with log weights (person, draw) of everybody.
        """

        def one(person: int, stopped: Callable[[], bool]) -> Sampled | None:
            rng = stream(self.seed, Purpose.ADAPTING, *self.places[person])
            target = Target.of(self.simulator, self.people[person])
            weights = log_weights[person]
            found = from_draws(target, theta[person], weights, rng, stopped, self.effort)
            return None if found is None else found.drawn(target, theta.shape[1], rng)

        return for_people(one, chosen.tolist(), self.workers)

    def by_mcmc(self, chosen: Array, theta: Array) -> list[Sampled | None]:
        """MCMC of the people at some positions, started at theta (person, draw, parameter)."""

        def one(person: int, stopped: Callable[[], bool]) -> Sampled | None:
            rng = stream(self.seed, Purpose.MCMC, *self.places[person])
            trials = self.people[person]
            return sample_exactly(self.simulator, trials, theta[person], rng, stopped=stopped)

        return for_people(one, chosen.tolist(), self.workers)
