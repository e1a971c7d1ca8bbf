"""What a study shows, in the form of the model's curves: of one person, or the mean over people."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from incongruent.checks.statistics import conditional_accuracy, delta_function
from incongruent.data.trials import CONDITION, RESPONSE, Trials
from incongruent.models.implied import LEVELS

Array = np.ndarray

WIDTH = 25.0
"""ms, of the bins of densities."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Statistics of observed trials; NaN where there are none.

    Attributes:
        edges: (bin + 1,) ms.
        density: (condition, side, bin) per ms, defective as those of `Curves`.
        delta_at: (quantile,) ms.
        delta: (quantile,) ms.
        accuracy: (condition, bin) in fifths of the answers, from fast to slow.
    """

    edges: Array
    density: Array
    delta_at: Array
    delta: Array
    accuracy: Array

    @property
    def span(self) -> tuple[float, float]:
        """Between which times 99 % of the answers came, in ms."""
        done = np.cumsum(np.nansum(self.density, axis=(0, 1)))
        first, last = np.searchsorted(done, [0.005 * done[-1], 0.995 * done[-1]])
        start, end = self.edges[[first, last + 1]]
        return float(start), float(end)


def observe(study: Trials, person: int | None = None) -> Observed:
    """One person by position, or the mean of everybody's own statistics.

    People without trials of a kind are left out of its mean.
    """
    people = study if person is None else study.select([person])
    edges = _edges(people)
    at, delta = delta_function(people)
    each = (_density(people, edges), at, delta, _accuracy(people))
    return Observed(edges, *(_mean(values) for values in each))


def _mean(values: Array) -> Array:
    """The mean over people (person, …) of what is known of them; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a mean of nothing
        return np.nanmean(values, axis=0)


def _edges(people: Trials) -> Array:
    rt = people.values["rt"][people.answered]
    longest = float(rt.max(initial=WIDTH))
    return np.arange(0.0, longest + 2.0 * WIDTH, WIDTH)


def _density(people: Trials, edges: Array) -> Array:
    """(person, condition, side, bin)."""
    n_bins = len(edges) - 1
    place = np.clip((people.values["rt"] / WIDTH).astype(int), 0, n_bins - 1)
    return np.stack([_condition_density(people, level, place, n_bins) for level in LEVELS], axis=1)


def _condition_density(people: Trials, level: str, place: Array, n_bins: int) -> Array:
    """(person, side, bin) of one condition, from the bin of every trial (person, trial)."""
    here = people.where(CONDITION.name, level) & people.answered
    sides = [here & people.where(RESPONSE.name, response) for response in RESPONSE.levels]
    counts = np.stack([_counts(place, side, n_bins) for side in sides], axis=1)
    n = here.sum(axis=1)
    return counts / np.where(n > 0, n * WIDTH, np.nan)[:, None, None]


def _counts(place: Array, these: Array, n_bins: int) -> Array:
    """How many of these trials lie in each bin, (person, bin)."""
    rows = zip(place, these, strict=True)
    return np.array([np.bincount(row[mask], minlength=n_bins) for row, mask in rows])


def _accuracy(people: Trials) -> Array:
    """(person, condition, bin)."""
    return np.stack([conditional_accuracy(people, level) for level in LEVELS], axis=1)
