r"""Variants of a model, without training: posterior and evidence of each for every person.

A variant shares parameters with the model whose corrected draws there are already. Sampling starts
from these draws, with new parameters drawn from their priors: the weights of such draws are the
ratio of the two likelihoods. Where another mechanism stands in the model's place, sampling starts
from its prior. From there on it is adaptive importance sampling (`adaptive`), whose evidence is
unbiased.

Evidence depends on the priors of new parameters. Under half and twice the width of these it comes
from the same draws (`widths`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, as_seed, places_of, stream
from incongruent.data.trials import Trials
from incongruent.exact.adaptive import Start, adapt
from incongruent.exact.change import JOINED, Change, combined, in_order
from incongruent.exact.changes import usual_changes
from incongruent.exact.effort import QUICK, THOROUGH, Effort
from incongruent.exact.for_people import for_people
from incongruent.exact.forward_selection import select_forward
from incongruent.exact.importance import FEWEST_DRAWS
from incongruent.exact.likelihood import Person, likelihood_of, people_of
from incongruent.exact.sampled import Sampled
from incongruent.exact.target import Target
from incongruent.exact.variant_results import BASE, VariantFit, Variants
from incongruent.exact.variant_starts import start_from_draws
from incongruent.exact.widths import WIDTHS, evidence_at_widths
from incongruent.posterior.draws import BY_ADAPTIVE, Correction, Draws
from incongruent.posterior.progress import announce
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

Asked = str | Change | Sequence["str | Change"]
"""A variant: a name, a change, or several of either that are made together."""


@checked_names
def variants(
    draws: Draws,
    study: Trials,
    asked: Sequence[Asked] | None = None,
    *,
    combine: int = 1,
    quick: bool = False,
    seed: int,
    workers: int | None = None,
) -> Variants:
    """Posterior and evidence of every person under variants of the model, without training.

    Args:
        draws: corrected ones, from `fit` or `reweight`.
        study: the trials of the same people in the same order; those that were fitted.
        asked: the variants: names of `changes.usual_changes`, such as "lapses" or "SSP", or
            ``changes.Change`` objects; several in a list, or joined by " + ", are made together.
            All usual ones, and lapses with drift variability, when left out.
        combine: how many of the changes in ``asked`` forward selection may combine: the change
            with the largest evidence is kept, each of the others is added to it, and so on, as long
            as the sum of the log evidences grows by 3 nats. 1 for no selection.
        quick: a quarter of the work: evidence of a person is known to about 0.07 nats instead of
            0.02, and about 100 draws are effective instead of 800. Enough for sums over people and
            means, not for the tails of a person's posterior.
        seed: of sampling.
        workers: threads; one for each core when left out.

    Returns:
        A record that prints as sentences, with a table, and draws of every variant.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: when draws and study do not belong together, draws have not been corrected, or
            a variant is not known, not of this model, asked for twice, or made of changes that
            contradict each other.

    Example:
        >>> import incongruent as inc
        >>> study = inc.demo_study().select(slice(3))
        >>> draws = inc.fit(inc.pretrained("dmc"), study, n_draws=200, seed=1).draws
        >>> found = inc.variants(draws, study, ["lapses"], seed=1)
        >>> found.table()["variant"].tolist()[:2]
        ['as fitted', 'lapses']
    """
    seed = as_seed(seed)
    _check(draws, study)
    known = {change.name: change for change in _usual(draws)}
    chosen = _all_usual(known) if asked is None else [_changes(one, known) for one in asked]
    _refuse_twice([combined(changes) for changes in chosen])
    base = _as_fitted(draws)
    sampler = _Sampler.of(base, study, QUICK if quick else THOROUGH, seed, workers)
    found = {combined(changes): sampler.fitted(changes) for changes in chosen}
    if combine > 1:
        select_forward(sampler.fitted, base, found, _each_once(chosen), combine)
    return Variants(base, tuple(found.values()))


def _check(draws: Draws, study: Trials) -> None:
    """Refuse draws that are not of these people, too few, or not corrected."""
    if draws.names != study.names:
        raise ValueError(
            f"Expected the people of the draws, {draws.names[:5]} …; got a study of"
            f" {study.names[:5]} …. Leave out people who were not fitted:"
            " study.select(draws.names)."
        )
    if draws.correction is None:
        raise ValueError(
            "Expected draws corrected by the exact likelihood; got the network's own. Write"
            " draws = inc.reweight(draws, study, seed=…) first, or take those of inc.fit."
        )
    if draws.theta.shape[1] < FEWEST_DRAWS:
        raise ValueError(
            f"Expected at least {FEWEST_DRAWS} draws a person; got {draws.theta.shape[1]}."
        )
    likelihood_of(draws.simulator)


def _usual(draws: Draws) -> tuple[Change, ...]:
    """The usual changes of the model; none for a model without usual ones."""
    try:
        return usual_changes(draws.simulator.model)
    except ValueError:
        return ()


def _all_usual(known: dict[str, Change]) -> list[tuple[Change, ...]]:
    """Every usual change, and lapses and drift variability together."""
    if not known:
        raise ValueError("Expected variants for this model; it has no usual ones. Pass `asked=`.")
    both = tuple(known[name] for name in ("lapses", "drift variability") if name in known)
    return [*((change,) for change in known.values()), *([both] if len(both) > 1 else [])]


def _changes(asked: Asked, known: dict[str, Change]) -> tuple[Change, ...]:
    """The changes of one variant that was asked for."""
    if isinstance(asked, Change):
        return (asked,)
    if isinstance(asked, str):
        return in_order([_named(name.strip(), known) for name in asked.split(JOINED.strip())])
    return in_order([change for one in asked for change in _changes(one, known)])


def _refuse_twice(names: Sequence[str]) -> None:
    """Refuse variants of the same name, of which only one could be returned."""
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"Expected each variant once, with a name of its own; got {twice[0]!r} more than once."
            " Give changes of your own another name, Change(name, …)."
        )


def _each_once(chosen: Sequence[Sequence[Change]]) -> list[Change]:
    """Every change that one of the variants makes."""
    return list({change.name: change for changes in chosen for change in changes}.values())


def _named(name: str, known: dict[str, Change]) -> Change:
    if name not in known:
        raise ValueError(
            f"Expected the name of a usual variant, {', '.join(map(repr, known))}, or a"
            f" changes.Change(…); got {name!r}."
        )
    return known[name]


def _as_fitted(draws: Draws) -> VariantFit:
    """The model as it was fitted, as a variant without changes."""
    missing = np.full((len(WIDTHS), len(draws)), np.nan)
    return VariantFit(BASE, "the model as fitted", draws, missing)


@dataclass(frozen=True, eq=False)
class _OfPerson:
    """One person under a variant.

    Attributes:
        sampled: draws, with evidence.
        at_widths: (width,) log evidence at other widths of the priors of new parameters.
    """

    sampled: Sampled
    at_widths: Array

    @classmethod
    def nothing(cls, n_draws: int, n_parameters: int) -> _OfPerson:
        """What stands for a person whose trials a variant cannot give; draws are NaN."""
        sampled = Sampled(
            theta=np.full((n_draws, n_parameters), np.nan),
            log_likelihood=np.full(n_draws, -np.inf),
            log_joint=np.full(n_draws, np.nan),
            log_evidence=-np.inf,
            log_evidence_error=np.inf,
            by=BY_ADAPTIVE,
            trusted=False,
            accurate=True,
            n_effective=0.0,
            k_hat=np.inf,
            efficiency=0.0,
        )
        return cls(sampled, np.full(len(WIDTHS), -np.inf))


@dataclass(frozen=True, eq=False)
class _Sampler:
    """What samples the people of a study under variants.

    Attributes:
        known: the model as fitted, and those of its variants that have been sampled; a new one
            begins at the nearest of them.
        people: the trials of everybody.
        places: of everybody in the tree of random streams.
        effort: how much is done for each person.
        seed: of everything.
        workers: threads; one for each core when None.
    """

    known: list[VariantFit]
    people: list[Person]
    places: Sequence[tuple[int, ...]]
    effort: Effort
    seed: int
    workers: int | None

    @classmethod
    def of(
        cls, base: VariantFit, study: Trials, effort: Effort, seed: int, workers: int | None
    ) -> _Sampler:
        """The sampler of a study."""
        people, places = people_of(base.draws.simulator, study), places_of(study.names)
        return cls([base], people, places, effort, seed, workers)

    @property
    def draws(self) -> Draws:
        """Of the model as fitted."""
        return self.known[0].draws

    def fitted(self, changes: Sequence[Change]) -> VariantFit:
        """Everybody under a variant."""
        base = self.draws
        changes = [change.resolved(base.theta, base.simulator.prior) for change in changes]
        simulator = _changed(base.simulator, changes)
        name = combined(changes)
        announce(f"sampling {name}")
        each = self._sampled(simulator, changes, name)
        draws = _draws_of([one.sampled for one in each], simulator, base)
        words = ", ".join(change.words for change in changes)
        at_widths = np.stack([one.at_widths for one in each], axis=1)
        found = VariantFit(name, words, draws, at_widths, tuple(changes))
        if simulator.model.name == base.simulator.model.name:
            self.known.append(found)
        return found

    def _sampled(
        self, simulator: Simulator, changes: Sequence[Change], name: str
    ) -> list[_OfPerson]:
        """What was found for everybody under a variant."""
        (own,) = places_of((name,))

        def one(person: int, stopped: Callable[[], bool]) -> _OfPerson:
            rng = stream(self.seed, Purpose.VARIANTS, *own, *self.places[person])
            return self._one(simulator, changes, person, rng, stopped)

        return for_people(one, range(len(self.people)), self.workers)

    def _one(
        self,
        simulator: Simulator,
        changes: Sequence[Change],
        person: int,
        rng: np.random.Generator,
        stopped: Callable[[], bool],
    ) -> _OfPerson:
        """One person under a variant."""
        target = Target.of(simulator, self.people[person])
        start = self._start(target, simulator, person, rng)
        n_draws = self.draws.theta.shape[1]
        found = adapt(target, [start], rng, effort=self.effort, stopped=stopped)
        if found is None:
            return _OfPerson.nothing(n_draws, len(simulator.prior.names))
        at_widths = evidence_at_widths(found, simulator, changes)
        return _OfPerson(found.drawn(target, n_draws, rng), at_widths)

    def _start(
        self, target: Target, simulator: Simulator, person: int, rng: np.random.Generator
    ) -> Start:
        """Where sampling of a person begins."""
        names = simulator.prior.names
        if simulator.model.name != self.draws.simulator.model.name:
            return Start.at_the_prior(target, len(names), rng)
        return start_from_draws(target, names, self.known, person, self.effort.start, rng)


def _changed(simulator: Simulator, changes: Sequence[Change]) -> Simulator:
    """The simulator with all changes made, one after the other."""
    model, prior = simulator.model, simulator.prior
    for change in changes:
        model, prior = change.applied(model, prior)
    return Simulator(model, prior, simulator.design)


def _draws_of(each: Sequence[Sampled], simulator: Simulator, base: Draws) -> Draws:
    """Everybody's draws, in the order of the people."""
    evidence = np.array([one.log_evidence for one in each])
    log_joint = np.stack([one.log_joint for one in each])
    return Draws(
        theta=np.stack([one.theta for one in each]),
        log_q=log_joint - evidence[:, None],
        simulator=simulator,
        names=base.names,
        flags=base.flags,
        correction=_correction_of(each),
    )


def _correction_of(each: Sequence[Sampled]) -> Correction:
    """How good everybody's draws are."""
    return Correction(
        k_hat=np.array([one.k_hat for one in each]),
        ess=np.array([one.efficiency for one in each]),
        log_evidence=np.array([one.log_evidence for one in each]),
        log_evidence_error=np.array([one.log_evidence_error for one in each]),
        accurate=np.array([one.accurate for one in each]),
        sampled_by=np.array([one.by for one in each], object),
        effective_draws=np.array([one.n_effective for one in each]),
        trusted=np.array([one.trusted for one in each]),
        mcmc_steps=np.zeros(len(each), int),
        autocorrelation_time=np.full(len(each), np.nan),
        log_likelihood=np.stack([one.log_likelihood for one in each]),
    )
