"""Simulations that were made elsewhere: their parameters and data as `Simulations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd

from incongruent.data.arrays import trials_and_failures
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.plain import number, text_of
from incongruent.data.files.tables import read_table
from incongruent.data.trials import Category, Column, Trials
from incongruent.models.model import Model
from incongruent.priors.joint import AnyPrior, joint_prior_of
from incongruent.simulation.covariates import Resampled
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulations, Simulator

Array = np.ndarray

SUBSAMPLE = 10
"""Of data sets with the same number of trials the smallest to learn from has this part of it."""
Bounds = Literal["range"] | Mapping[str, tuple[float, float]] | None


@checked_names
def simulations_from(
    theta: Any,
    data: Any,
    columns: Sequence[Column] | None = None,
    *,
    prior: AnyPrior | None = None,
    design: Design | None = None,
    model: Model | None = None,
    given: Sequence[str] = (),
    n_trials: int | Array | None = None,
    answered: Array | str | None = None,
    dataset: str = "dataset",
    bounds: Bounds = None,
    failed: Literal["refuse", "leave out"] = "refuse",
) -> Simulations:
    """Simulations that were made elsewhere, to train with.

    Args:
        theta: parameters of each data set: a mapping of names to arrays (dataset,), a data frame or
            a file of one. A column with the name of ``dataset`` brings its rows into the order of
            the data.
        data: as in `trials_from`.
        columns: as in `trials_from`; those of ``model`` when there is one.
        prior: from which theta came. When left out only these samples of it are known: a network
            can be trained, but there is no prior density, for reweighting for example, and draws
            may lie outside of the range of theta unless there are ``bounds``.
        design: which numbers of trials to learn; from a tenth of what there is, by taking random
            trials, up to all when left out. Data sets whose numbers of trials differ are used from
            the smallest on.
        model: that made them, if it can simulate here too.
        given: as in `trials_from`.
        n_trials: as in `trials_from`.
        answered: as in `trials_from`.
        dataset: as in `trials_from`.
        bounds: limits that no draw leaves, when there is no prior: (low, high) by parameter, or
            "range", that of theta, wider at both ends by as much as lies between two of n equally
            spaced values.
        failed: simulations whose parameters or trials are not finite are refused; or "leave out",
            which makes the prior the one under which the simulator does not fail.

    Raises:
        ValueError: when theta and data do not belong together, theta lies outside the prior, or
            something is not finite.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)
        >>> mean = rng.normal(size=100)
        >>> simulations_from({"mean": mean}, {"x": rng.normal(mean[:, None], 1.0, (100, 50))})
        Simulations(100 data sets of external, 50–50 trials each, parameters mean)
    """
    _check_options(prior, bounds, failed)
    columns = columns if model is None else model.columns
    trials, lost = trials_and_failures(
        data, columns, given, n_trials, answered, dataset, failed_too=failed == "leave out"
    )
    names, values = _parameters(theta, trials, dataset, prior)
    lost = lost | ~_finite_rows(values)
    trials, values = _without(trials, values, names, lost, leave_out=failed == "leave out")
    if prior is None:
        prior = _known_by(values, names, bounds)
        trials = trials if bounds is not None else _with_note(trials, UNBOUNDED)
    _check_support(prior, names, values)
    model = model or Model("external", names, trials.columns)
    simulator = Simulator(model, prior, design or _design_for(trials))
    return Simulations(values, trials, names, simulator)


def _check_options(prior: AnyPrior | None, bounds: Bounds, failed: str) -> None:
    """Refuse an unknown way with failures, and both of prior and bounds."""
    if failed not in ("refuse", "leave out"):
        raise ValueError(f"Expected failed to be 'refuse' or 'leave out'; got {failed!r}.")
    if prior is not None and bounds is not None:
        raise ValueError("Expected either a prior, which has its own limits, or bounds; got both.")


def _finite_rows(values: Array) -> Array:
    return np.asarray(np.isfinite(values).all(axis=1))


def _with_note(trials: Trials, note: str) -> Trials:
    return replace(trials, notes=(*trials.notes, note))


def _check_support(prior: AnyPrior, names: tuple[str, ...], values: Array) -> None:
    """Refuse parameters (dataset, parameter) outside the support of the prior."""
    inside = _finite_rows(prior.to_real(values))
    if not inside.all():
        row = int(np.argmin(inside))
        raise ValueError(
            f"Expected theta within the support of {prior}; got"
            f" {dict(zip(names, values[row], strict=True))} in data set {row + 1}."
        )


def _parameters(
    theta: Any, trials: Trials, dataset: str, prior: AnyPrior | None
) -> tuple[tuple[str, ...], Array]:
    """Names, and values (dataset, parameter) in the order of the data sets."""
    frame = _table_of(theta)
    if dataset in frame.columns:
        frame = _in_order(frame, dataset, trials.names)
    frame = frame.rename(columns=text_of)
    names = tuple(frame.columns) if prior is None else prior.names
    if set(names) != set(frame.columns):
        raise ValueError(
            f"Expected theta with the prior's parameters {names}; got {tuple(frame.columns)}."
        )
    if len(frame) != len(trials):
        raise ValueError(f"Expected theta for {len(trials)} data sets; got {len(frame)} rows.")
    return names, frame[list(names)].to_numpy(float)


def _table_of(theta: Any) -> pd.DataFrame:
    """Parameters as a table, from a mapping, a data frame or a file."""
    if not isinstance(theta, Mapping):
        return read_table(theta)[0]
    return pd.DataFrame({text_of(name): np.asarray(values) for name, values in theta.items()})


def _in_order(frame: pd.DataFrame, dataset: str, names: tuple[str, ...]) -> pd.DataFrame:
    """The rows of a table in the order of the data sets, whose names are in one of its columns."""
    by_name = frame.assign(**{dataset: frame[dataset].map(text_of)}).set_index(dataset)
    found = by_name.index
    missing, extra = set(names) - set(found), set(found) - set(names)
    if missing or extra or found.has_duplicates:
        raise ValueError(
            f"Expected one row of theta for each of the {len(names)} data sets; missing"
            f" {sorted(missing)[:5]}, without data {sorted(extra)[:5]}, twice"
            f" {sorted(set(found[found.duplicated()]))[:5]}."
        )
    return by_name.loc[list(names)]


UNBOUNDED = (
    "No prior was given, so that parameters have no limits: draws may lie outside of the range of"
    " those in the simulations. Say bounds='range' to keep them inside."
)


def _without(
    trials: Trials, values: Array, names: tuple[str, ...], lost: Array, *, leave_out: bool
) -> tuple[Trials, Array]:
    """Data sets and parameters without the simulations that failed, and a note that says so."""
    if not lost.any():
        return trials, values
    if not leave_out:
        _refuse_failed(values, names)
    if lost.all():
        raise ValueError(
            f"Expected simulations that did not fail; all {len(lost)} have parameters or trials"
            " that are not finite."
        )
    return _with_note(trials.select(~lost), _failure_note(lost)), values[~lost]


def _refuse_failed(values: Array, names: tuple[str, ...]) -> NoReturn:
    """Refuse parameters, saying which is the first that is not finite."""
    row, place = np.argwhere(~np.isfinite(values))[0]
    raise ValueError(
        f"Expected finite parameters; got {names[place]}={values[row, place]} in data set"
        f" {row + 1}. Leave out simulations that failed, with failed='leave out'."
    )


def _failure_note(lost: Array) -> str:
    """How many simulations failed, and what that means for the posterior."""
    return (
        f"{int(lost.sum())} of {len(lost)} simulations failed ({lost.mean():.1%}) and were left"
        " out: the prior is cut to where the simulator did not fail, and where failing tells about"
        " the parameters, so is the posterior."
    )


def _known_by(values: Array, names: tuple[str, ...], bounds: Bounds) -> AnyPrior:
    """A prior of which only these samples (dataset, parameter) are known, within bounds."""
    low, high = values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf)
    if isinstance(bounds, str) and bounds == "range":
        limits = _widened_range(names, low, high, len(values))
    else:
        limits = _limits_by_name(bounds)
    lows, highs = ({name: pair[side] for name, pair in limits.items()} for side in (0, 1))
    known = _by_name(names, low, high)
    return joint_prior_of(values, names, low=lows, high=highs, sample_range=known)


def _widened_range(
    names: tuple[str, ...], low: Array, high: Array, n: int
) -> dict[str, tuple[float, float]]:
    """The range of n values by parameter, wider by the distance of n equally spaced ones."""
    margin = (high - low) / max(n - 1, 1)
    return _by_name(names, low - margin, high + margin)


def _limits_by_name(bounds: Any) -> dict[str, tuple[float, float]]:
    """The bounds of some parameters as numbers, none without bounds."""
    if bounds is not None and not isinstance(bounds, Mapping):
        raise ValueError(f"Expected bounds='range', or (low, high) by parameter; got {bounds!r}.")
    return {text_of(name): _limits(name, pair) for name, pair in (bounds or {}).items()}


def _by_name(names: tuple[str, ...], low: Array, high: Array) -> dict[str, tuple[float, float]]:
    """Lower and upper limits by parameter."""
    pairs = zip(low.tolist(), high.tolist(), strict=True)
    return dict(zip(names, pairs, strict=True))


def _limits(name: str, pair: Any) -> tuple[float, float]:
    """The bounds of a parameter as two numbers."""
    if np.ndim(pair) != 1 or len(pair) != 2:
        raise ValueError(f"Expected (low, high) as the bounds of {name!r}; got {pair!r}.")
    low, high = (number(f"a bound of {name!r}", end) for end in pair)
    return low, high


def _design_for(trials: Trials) -> Design:
    """A design with the numbers of trials and the shares that data sets have.

    Other given columns are drawn again from the values that are there.
    """
    n = trials.n_trials
    if len(trials) == 0 or n.min() == 0:
        raise ValueError(
            f"Expected data sets with at least one trial each; got {int((n == 0).sum())} without"
            f" any, of {len(trials)}."
        )
    condition = _first_category(trials.columns)
    design = Design(_sizes_to_learn(n), {}, None, given=_resampled(trials, condition))
    if condition is None:
        return design
    return replace(design, share=_shares(trials, condition), condition=condition)


def _sizes_to_learn(n_trials: Array) -> tuple[int, int]:
    """The smallest and largest number of trials, or a range up to the only one."""
    smallest, largest = int(n_trials.min()), int(n_trials.max())
    return (smallest, largest) if smallest < largest else (max(1, largest // SUBSAMPLE), largest)


def _resampled(trials: Trials, condition: Category | None) -> dict[str, Resampled]:
    """Draws from the values that are there, for each given column but the condition."""
    return {
        column.name: Resampled(trials.values[column.name][trials.present])
        for column in trials.columns
        if column.given and column is not condition
    }


def _first_category(columns: Sequence[Column]) -> Category | None:
    """The first given category that changes by trial; None when there is none."""
    for column in columns:
        if column.given and isinstance(column, Category) and column.per == "trial":
            return column
    return None


def _shares(trials: Trials, condition: Category) -> dict[str, tuple[float, float]]:
    """The smallest and largest share of each level that occurs, over data sets."""
    shares: dict[str, tuple[float, float]] = {}
    for level in condition.levels:
        share = trials.where(condition.name, level).sum(axis=1) / trials.n_trials
        if share.max() > 0:
            shares[level] = (float(share.min()), float(share.max()))
    return shares
