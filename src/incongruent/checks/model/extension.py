r"""Which extension explains the statistics in which a fitted model fails?

The panel's group z says by how much, and in which direction, people differ from what the fitted
base model predicts. Every candidate has a signature: mean and covariance of the same z in studies
simulated from it, at each strength on a grid, with parameters at which quantiles and errors are
those of these people (`checks.model.imitation`), fitted and judged by the base model like the
people. The score is the log-odds of candidate and
base,

    S = max over strengths of   log N(z; mu_strength, C_strength) - log N(z; 0, C_base),

covariances shrunk towards their diagonal. The p-value is the share of studies, observed and the
panel's replicates of the base together, whose largest score over all candidates is at least S; so
it is corrected for the number of candidates and strengths, whatever the shape of the distributions.
A candidate is accepted when p is small and the failing statistics are repaired: at its best
strength z - mu lies within the panel's simultaneous band for most of them, statistics that it makes
fail counted against it. So "none of these" is an answer.

Limits. All people are given one strength. No candidate is fitted by its likelihood, and the order
among several that repair the same statistics is that of log-odds which rest on normal
distributions; differences of less than 3 are called ties. Strengths are rough, since signatures
between those simulated are interpolated. What is not among the candidates, or needs two of them at
once, is not found. In small studies, or where other values of the base model's parameters can take
the place of an extension, nothing fails and nothing is asked. To estimate the parameters of what is
accepted, train for that model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from incongruent.checks.model.candidates import Extension, default_extensions
from incongruent.checks.model.imitation import Imitator, imitator
from incongruent.checks.model.panel import Panel, predictive_panel
from incongruent.checks.model.ranking import Candidate, ExtensionRanking
from incongruent.checks.model.signatures import (
    N_PREDICTIONS,
    FittedExtension,
    Scale,
    Signature,
    fitted,
)
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import counting

Array = np.ndarray

LEVEL = 0.05


def rank_extensions(
    posterior: Posterior,
    study: Trials,
    panel: Panel | None = None,
    *,
    extensions: Sequence[Extension] | None = None,
    seed: int,
) -> ExtensionRanking:
    """Ask which extension of the model, or other mechanism, explains the statistics that fail.

    Args:
        posterior: a trained one, of the base model.
        study: one data set a person.
        panel: of this posterior and study; made when left out.
        extensions: the candidates; `default_extensions` of the base model when left out.
        seed: of everything.

    Raises:
        ScopeError: when nobody is what the network was trained for.
        ValueError: when the trials are not those of a conflict task, the panel is of other people,
            or the base model has no usual candidates.
    """
    panel = panel or predictive_panel(posterior, study, seed=seed)
    _require_same_people(panel, study)
    failing = panel.failing(level=LEVEL)
    if not failing:
        return ExtensionRanking((), (), panel.n_replicates)
    asked = default_extensions(posterior.simulator.model) if extensions is None else extensions
    candidates = _judged(panel, posterior, study, asked, seed)
    return ExtensionRanking(_ranked(candidates), failing, panel.n_replicates)


def _require_same_people(panel: Panel, study: Trials) -> None:
    """Raise ValueError unless the panel is of the people of the study."""
    if panel.names != study.names:
        raise ValueError(
            f"Expected a panel of the people of the study, {study.names[:5]} …; got one of"
            f" {panel.names[:5]} …."
        )


def _ranked(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """Accepted candidates first, then by score."""
    return tuple(sorted(candidates, key=lambda c: (not c.accepted, -c.score)))


def _judged(
    panel: Panel, posterior: Posterior, study: Trials, extensions: Sequence[Extension], seed: int
) -> list[Candidate]:
    """Every candidate, simulated, scored, and judged among the others."""
    scale = Scale(panel)
    found = _all_fitted(scale, imitator(posterior, study, seed=seed), extensions)
    if not found:
        return []
    largest = np.max([candidate.scores for candidate in found], axis=0)  # (1 + replicate,)
    return [_candidate(panel, scale, candidate, largest) for candidate in found]


def _all_fitted(
    scale: Scale, imitating: Imitator, extensions: Sequence[Extension]
) -> list[FittedExtension]:
    """Every candidate at its best strength."""
    done = counting(len(extensions), "candidates")
    found: list[FittedExtension] = []
    for n, extension in enumerate(extensions, 1):
        found.append(_fitted(scale, imitating, extension))
        done(n)
    return found


def _fitted(scale: Scale, imitating: Imitator, extension: Extension) -> FittedExtension:
    """One candidate at its best strength."""
    discrepancies = imitating.signatures(extension, N_PREDICTIONS)
    return fitted(scale, extension, [scale.signature(d) for d in discrepancies])


def _candidate(panel: Panel, scale: Scale, candidate: FittedExtension, largest: Array) -> Candidate:
    """What a candidate explains, and whether it is accepted."""
    predicted, left = _predicted_and_left(panel, scale, candidate)
    repaired, remaining, spoiled = _outcomes(panel, left)
    p = _p_among(largest, candidate.scores[0])
    repairs_most = len(remaining) + len(spoiled) < 0.5 * (len(repaired) + len(remaining))
    extension = candidate.extension
    return Candidate(
        name=extension.name,
        subject=extension.sentence(candidate.amount),
        advice=extension.advice,
        amount=candidate.amount,
        score=float(candidate.scores[0]),
        p=p,
        predicted=predicted,
        left=left,
        repaired=repaired,
        remaining=remaining,
        spoiled=spoiled,
        accepted=p <= LEVEL and repairs_most,
        plural=extension.plural,
    )


def _p_among(largest: Array, score: float) -> float:
    """The share of studies (1 + replicate,) whose largest score is at least this one."""
    return float((1 + (largest[1:] >= score).sum()) / len(largest))


def _predicted_and_left(
    panel: Panel, scale: Scale, candidate: FittedExtension
) -> tuple[Array, Array]:
    """The group's z under the candidate, and what it leaves in units of its own spread."""
    n, used, signature = len(panel.statistics), scale.used, candidate.signature
    z = _replaced(panel.group.z, used, scale.z[0])
    predicted = _replaced(np.zeros(n), used, signature.mean)
    spread = _replaced(np.ones(n), used, _sd_at_least_one(signature))
    return predicted, (z - predicted) / spread


def _sd_at_least_one(signature: Signature) -> Array:
    """The SDs of a signature, at least those of the panel's z, (used statistic,)."""
    return np.sqrt(np.maximum(np.diag(signature.covariance), 1.0))


def _replaced(values: Array, used: Array, by: Array) -> Array:
    """A copy of the values with others at the positions of used statistics."""
    copy = values.copy()
    copy[used] = by
    return copy


def _outcomes(
    panel: Panel, left: Array
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of failing statistics that are repaired and that are not, and of those spoiled."""
    failing, outside = panel.failing(level=LEVEL), _names_outside_band(panel, left)
    return (
        tuple(name for name in failing if name not in outside),
        tuple(name for name in failing if name in outside),
        tuple(name for name in outside if name not in failing),
    )


def _names_outside_band(panel: Panel, z: Array) -> list[str]:
    """Names of the statistics whose z lies outside the panel's simultaneous band, in its order."""
    outside = np.abs(z) > float(panel.group.band)
    return [s.name for s, is_outside in zip(panel.statistics, outside, strict=True) if is_outside]
