"""The regression of parameter values on summaries of data, quadratic in principal components."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray

N_COMPONENTS = 8
"""Principal components of quantiles and shares that the regression uses."""
RIDGE = 1.0
"""Penalty of the slopes."""
FEWEST_ALIKE = 100
"""Data sets that a regression needs."""
TRIM = 2.0
"""Residuals beyond so many standard deviations are not used."""
REACH = 4.0
"""In SDs: simulated data sets further from the people, or in the end read by the network otherwise
than the person's own, are left out.
"""


def regressed(
    values: Float[Array, "dataset value"],
    summaries: Float[Array, "dataset summary"],
    at: Float[Array, "person summary"],
) -> tuple[Float[Array, "person value"], Float[Array, "residual value"]]:
    """Values (dataset, value) regressed on summaries (dataset, summary).

    Returns the prediction at other summaries (person, value), kept within the range of the values,
    and residuals (dataset, value).
    """
    if len(values) < FEWEST_ALIKE:  # nothing like these people: to the middle of the prior
        return np.zeros((len(at), values.shape[-1])), np.zeros((1, values.shape[-1]))
    design, design_at = _design_matrices(summaries, at)
    slopes = _ridge_slopes(design, values)
    predicted = np.clip(design_at @ slopes, values.min(axis=0), values.max(axis=0))
    return predicted, values - design @ slopes


def _ridge_slopes(design: Array, values: Array) -> Array:
    """The slopes of a ridge regression, whose intercept is not penalised, (feature, value)."""
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    return np.linalg.solve(design.T @ design + penalty, design.T @ values)


def _design_matrices(summaries: Array, at: Array) -> tuple[Array, Array]:
    """The design matrix of the summaries, and that of other ones, each (…, feature)."""
    middle, spread = summaries.mean(axis=0), np.maximum(summaries.std(axis=0), 1e-3)
    standard = (summaries - middle) / spread
    turn = _to_white_components(standard)
    components_at = np.clip((at - middle) / spread @ turn, -REACH, REACH)
    return _quadratic(standard @ turn), _quadratic(components_at)


def _to_white_components(standard: Array) -> Array:
    """The map from standardised summaries to components of variance 1, (summary, component)."""
    _, size, axes = np.linalg.svd(standard, full_matrices=False)
    return axes[:N_COMPONENTS].T * np.sqrt(len(standard)) / size[:N_COMPONENTS]


def _quadratic(m: Float[Array, "row component"]) -> Float[Array, "row feature"]:
    """1, the components and their products, (…, feature)."""
    return np.concatenate([np.ones((*m.shape[:-1], 1)), m, _products(m)], axis=-1)


def _products(m: Float[Array, "row component"]) -> Float[Array, "row pair"]:
    """Squares of the components and products of two of them, (…, pair)."""
    first, second = np.triu_indices(m.shape[-1])
    return m[..., first] * m[..., second]


def trimmed(residuals: Float[Array, "residual value"]) -> Float[Array, "kept value"]:
    """The residuals without rows in which a value is unusually large.

    Most of these come from values whose data are no longer like any of the people's.
    """
    limit = TRIM * _robust_sd(residuals) + 1e-9
    usual = (np.abs(residuals) <= limit).all(axis=1)
    return residuals[usual] if usual.any() else residuals


def _robust_sd(residuals: Float[Array, "residual value"]) -> Float[Array, " value"]:
    """The size below which 68 % of the residuals lie, (value,)."""
    return np.quantile(np.abs(residuals), 0.68, axis=0)
