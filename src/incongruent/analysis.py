"""The main job as one function: a study and a posterior in; draws, predictions and tables out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.checks.hygiene.observed import NOTHING, recording_of
from incongruent.checks.model.predictive import Prediction, predict
from incongruent.checks.statistics import error_share
from incongruent.data.basics.notebook import html
from incongruent.data.trials import CONDITION, Trials
from incongruent.exact.importance import largest_k_hat
from incongruent.exact.reweight import reweight
from incongruent.posterior.draws import BY_NETWORK, Draws
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce
from incongruent.posterior.scope import Admission
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

N_REPLICATES = 100


@dataclass(frozen=True, eq=False)
class Fit:
    """Everything that `fit` found.

    Attributes:
        draws: of everybody who has trials.
        prediction: posterior prediction for the same people.
        study: the trials that the network saw, of everybody, also of people without any.
        flags: for each person of the study, in what they lie outside what the network was trained
            for.
        recorded_as: what posteriors and predictions take over of how the RTs were recorded, a
            sentence each; empty for most.
    """

    draws: Draws
    prediction: Prediction
    study: Trials
    flags: tuple[tuple[str, ...], ...]
    recorded_as: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        return html(f"Fit of {len(self.draws)} people", self.alarms, self.people())

    @property
    def alarms(self) -> tuple[str, ...]:
        """What makes all of the fit doubtful, a sentence each; empty for most."""
        sentences = (_nobody_inside(self), _nobody_trusted(self.draws))
        return tuple(sentence for sentence in sentences if sentence)

    @property
    def not_fitted(self) -> tuple[str, ...]:
        """People without a single usable trial."""
        return tuple(
            name for name, n in zip(self.study.names, self.study.n_trials, strict=True) if n == 0
        )

    def people(self) -> pd.DataFrame:
        """One row per person.

        Columns: trials used and left out, for which reason, errors by condition, flags.
        """
        return people_table(self.draws, self.study, self.flags)

    def group(self) -> pd.DataFrame:
        """One row per parameter.

        Columns: mean and SD over people of the posterior means, and the mean contraction.
        """
        means = self.draws.means
        sd = means.std(axis=0, ddof=1) if len(means) > 1 else np.full(means.shape[1], np.nan)
        return pd.DataFrame(
            {
                "parameter": self.draws.parameter_names,
                "unit": [p.unit for p in self.draws.simulator.model.parameters],
                "mean": means.mean(axis=0),
                "sd over people": sd,
                "contraction": self.draws.contraction.mean(axis=0),
            }
        )


def people_table(draws: Draws, study: Trials, flags: Sequence[Sequence[str]]) -> pd.DataFrame:
    """A row for each person.

    Columns: trials used and left out, for which reason, errors by condition, flags.

    Args:
        draws: of everybody who has trials.
        study: everybody.
        flags: for each person, in what they lie outside what the network was trained for.
    """
    frame = pd.DataFrame({"participant": list(study.names), "n_trials": study.n_trials})
    levels = _levels_of(draws)
    for level in levels:
        frame[f"n_{level}"] = study.where(CONDITION.name, level).sum(axis=1)
    frame["n_excluded"] = study.n_excluded
    for level in levels:
        frame[f"error_{level}"] = error_share(study, level)
    for reason, counts in study.excluded.items():
        frame[f"excluded: {reason}"] = counts
    if draws.correction is not None:
        frame = frame.join(draws.correction.table().set_index(np.flatnonzero(study.n_trials > 0)))
    frame["flags"] = ["; ".join(of_person) for of_person in flags]
    return frame


def _levels_of(draws: Draws) -> list[str]:
    """The conditions that have columns; neutral only where the network knows it."""
    known = draws.simulator.design.levels
    return [level for level in CONDITION.levels if level != "neutral" or level in known]


def _nobody_inside(result: Fit) -> str:
    """A warning about a fit that was asked for although everybody lies outside; else empty."""
    n = len(result.flags)
    if not all(result.flags):
        return ""
    return (
        f"Nobody lies inside what the network was trained for ({n} of {n} flagged): the network's"
        " posteriors are extrapolations. Train a network under a prior and for a design that reach"
        " these data."
    )


def _nobody_trusted(draws: Draws) -> str:
    """A warning about draws whose importance weights can be trusted for nobody; else empty."""
    correction, largest = draws.correction, largest_k_hat(draws.theta.shape[1])
    if correction is None or (correction.k_hat <= largest).any():
        return ""
    n, n_anew = len(draws), int((~correction.is_by(BY_NETWORK)).sum())
    rest = (
        "These posteriors are not to be trusted. "
        if not correction.trusted.any()
        else f"Posteriors of {n_anew} were sampled anew on the exact likelihood. "
    )
    return (
        f"The network's draws can be trusted for nobody (k_hat above {largest:.2f} for {n} of {n}):"
        f" it was not trained for such data. {rest}Ask whether the model is right (check), and"
        " train a network under a prior that reaches these data."
    )


def fit(
    posterior: Posterior | Ensemble,
    study: Trials,
    *,
    n_draws: int = 1000,
    prior: AnyPrior | None = None,
    exact: bool = False,
    adapt: bool = True,
    as_recorded: bool = True,
    anyway: bool = False,
    first: Callable[[Draws, Admission], object] | None = None,
    seed: int,
) -> Fit:
    """Posteriors and predictions for everybody in a study.

    They are corrected by the exact likelihood where the model has one.

    Args:
        posterior: a trained one, or an ensemble of several.
        study: one data set a person.
        n_draws: draws for each person.
        prior: another prior than the network's, see `reweight`.
        exact: sample everybody by MCMC on the exact likelihood; slow.
        adapt: sample anew, on the exact likelihood, the people for whom the network's draws do not
            serve; see `reweight`.
        as_recorded: take steps in which RTs come, and an end at which they are cut off, into
            account where the trials show them clearly: what is predicted, and the exact likelihood
            that corrects the draws, are those of data recorded so. ``recorded_as`` of the result
            says what was found.
        anyway: go on also when nobody is inside what the network was trained for; ``alarms`` of the
            result then say so.
        first: is given the network's own draws, and how the study was admitted, before the
            correction begins, which may take minutes; for example
            ``lambda draws, admission: write_uncorrected(draws, admission, "results")``.
        seed: of draws, correction and predictions.

    Raises:
        TypeError: when the study comes before the posterior.
        ScopeError: when nobody is inside what the network was trained for, unless ``anyway`` is
            given.
        LikelihoodError: when a prior or ``exact`` is asked for and the model has no exact
            likelihood.
        ValueError: when the prior reaches beyond the network's.
    """
    if isinstance(posterior, Trials):
        raise TypeError("Expected the posterior before the study: inc.fit(posterior, study, …).")
    recorded = recording_of(study) if as_recorded else NOTHING
    said = recorded.sentences(posterior.simulator.design)
    posterior = recorded.applied_to(posterior)
    announce("drawing from the posteriors")
    admission = posterior.admit(study, anyway=anyway)
    fitted = admission.trials.select(np.flatnonzero(admission.trials.n_trials > 0))
    draws = posterior.sample(fitted, n_draws, seed=seed, anyway=True)
    if posterior.simulator.model.likelihood is not None or prior is not None or exact:
        if first is not None:
            first(draws, admission)
        announce("correcting draws by the exact likelihood")
        draws = reweight(draws, fitted, prior=prior, exact=exact, adapt=adapt, seed=seed)
    announce("predicting the data")
    prediction = predict(draws, fitted, n_replicates=min(N_REPLICATES, n_draws), seed=seed)
    return Fit(draws, prediction, admission.trials, admission.flags, said)
