"""Simulations made elsewhere -> `Simulations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from incongruent.data.arrays import trials_and_failures
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.plain import number, text_of
from incongruent.data.files.tables import read_table
from incongruent.data.trials import Category, Column, Trials, select
from incongruent.models.model import Model
from incongruent.priors.joint import AnyPrior, joint_prior_of
from incongruent.simulation.covariates import Recorded
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulations, Simulator

Array = np.ndarray

SUBSAMPLE = 10
"""From data sets that all have the same number of trials, learning goes down to this part of it."""
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
        prior: from which theta came. When left out it is known by these samples alone: a network
            can be trained, but there is no prior density, for reweighting for example, and draws
            may lie outside of the range of theta unless ``bounds`` say otherwise.
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
        Simulations(100 data sets of recorded, 50–50 trials each, parameters mean)
    """
    if failed not in ("refuse", "leave out"):
        raise ValueError(f"Expected failed to be 'refuse' or 'leave out'; got {failed!r}.")
    if prior is not None and bounds is not None:
        raise ValueError("Expected either a prior, which has its own limits, or bounds; got both.")
    columns = columns if model is None else model.columns
    trials, lost = trials_and_failures(
        data, columns, given, n_trials, answered, dataset, failed_too=failed == "leave out"
    )
    names, values = _parameters(theta, trials, dataset, prior)
    lost = lost | ~np.isfinite(values).all(axis=1)
    trials, values = _without(trials, values, names, lost, leave_out=failed == "leave out")
    if model is None:
        model = Model("recorded", names, trials.columns)
    if prior is None:
        prior = _known_by(values, names, bounds)
        trials = replace(trials, notes=(*trials.notes, *([OPEN] if bounds is None else [])))
    inside = np.isfinite(prior.to_real(values)).all(axis=1)
    if not inside.all():
        row = int(np.argmin(inside))
        raise ValueError(
            f"Expected theta within the support of {prior}; got"
            f" {dict(zip(names, values[row], strict=True))} in data set {row + 1}."
        )
    simulator = Simulator(model, prior, design if design is not None else _design_for(trials))
    return Simulations(values, trials, names, simulator)


def _parameters(
    theta: Any, trials: Trials, dataset: str, prior: AnyPrior | None
) -> tuple[tuple[str, ...], Array]:
    """Names, and values (dataset, parameter) in the order of the data sets."""
    frame = (
        pd.DataFrame({text_of(k): np.asarray(v) for k, v in theta.items()})
        if isinstance(theta, Mapping)
        else read_table(theta)[0]
    )
    if dataset in frame.columns:
        by_name = frame.assign(**{dataset: frame[dataset].map(text_of)}).set_index(dataset)
        missing, extra = (
            set(trials.names) - set(by_name.index),
            set(by_name.index) - set(trials.names),
        )
        if missing or extra or by_name.index.has_duplicates:
            raise ValueError(
                f"Expected one row of theta for each of the {len(trials)} data sets; missing"
                f" {sorted(missing)[:5]}, without data {sorted(extra)[:5]}, twice"
                f" {sorted(set(by_name.index[by_name.index.duplicated()]))[:5]}."
            )
        frame = by_name.loc[list(trials.names)]
    frame = frame.rename(columns=text_of)
    names = tuple(frame.columns) if prior is None else prior.names
    if set(names) != set(frame.columns):
        raise ValueError(
            f"Expected theta with the prior's parameters {names}; got {tuple(frame.columns)}."
        )
    if len(frame) != len(trials):
        raise ValueError(f"Expected theta for {len(trials)} data sets; got {len(frame)} rows.")
    return names, frame[list(names)].to_numpy(float)


OPEN = """No prior was given, so that parameters have no limits: draws may lie outside of the range of the recorded ones. Say bounds='range' to keep \
them inside."""


def _without(
    trials: Trials, values: Array, names: tuple[str, ...], lost: Array, *, leave_out: bool
) -> tuple[Trials, Array]:
    """Data sets and parameters without those that failed, and a note that says so."""
    if not lost.any():
        return trials, values
    if not leave_out:
        row, place = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"Expected finite parameters; got {names[place]}={values[row, place]} in data set"
            f" {row + 1}. Leave out simulations that failed, with failed='leave out'."
        )
    if lost.all():
        raise ValueError(
            f"Expected simulations that did not fail; all {len(lost)} have parameters or trials"
            " that are not finite."
        )
    note = (
        f"{int(lost.sum())} of {len(lost)} simulations failed ({lost.mean():.1%}) and were left"
        " out: the prior is cut to where the simulator did not fail, and where failing tells about"
        " the parameters, so is the posterior."
    )
    kept = select(trials, ~lost)
    return replace(kept, notes=(*kept.notes, note)), values[~lost]


def _known_by(values: Array, names: tuple[str, ...], bounds: Bounds) -> AnyPrior:
    """The prior of which these samples are known, (dataset, parameter), within bounds."""
    low, high = values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf)
    recorded = dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    if isinstance(bounds, str) and bounds == "range":
        margin = (high - low) / max(len(values) - 1, 1)
        limits = dict(
            zip(
                names,
                zip((low - margin).tolist(), (high + margin).tolist(), strict=True),
                strict=True,
            )
        )
    elif bounds is None or isinstance(bounds, Mapping):
        limits = {text_of(name): _limits(name, pair) for name, pair in (bounds or {}).items()}
    else:
        raise ValueError(f"Expected bounds='range', or (low, high) by parameter; got {bounds!r}.")
    lows, highs = ({name: pair[side] for name, pair in limits.items()} for side in (0, 1))
    return joint_prior_of(values, names, low=lows, high=highs, recorded=recorded)


def _limits(name: str, pair: Any) -> tuple[float, float]:
    if np.ndim(pair) != 1 or len(pair) != 2:
        raise ValueError(f"Expected (low, high) as the bounds of {name!r}; got {pair!r}.")
    low, high = (number(f"a bound of {name!r}", end) for end in pair)
    return low, high


def _design_for(trials: Trials) -> Design:
    """Numbers of trials and shares as they are; other given columns are drawn again from what was
    recorded.
    """
    n = trials.n_trials
    if len(trials) == 0 or n.min() == 0:
        raise ValueError(
            f"Expected data sets with at least one trial each; got {int((n == 0).sum())} without"
            f" any, of {len(trials)}."
        )
    smallest = int(n.min()) if n.min() < n.max() else max(1, int(n.max()) // SUBSAMPLE)
    by_trial = [
        c for c in trials.columns if c.given and isinstance(c, Category) and c.per == "trial"
    ]
    share: dict[str, tuple[float, float]] = {}
    if by_trial:
        counts = (
            np.stack(
                [trials.where(by_trial[0].name, level).sum(axis=1) for level in by_trial[0].levels],
                axis=1,
            )
            / n[:, None]
        )
        share = {
            level: (float(c.min()), float(c.max()))
            for level, c in zip(by_trial[0].levels, counts.T, strict=True)
            if c.max() > 0
        }
    others = {
        c.name: Recorded(trials.values[c.name][trials.present])
        for c in trials.columns
        if c.given and c not in by_trial[:1]
    }
    design = Design((smallest, int(n.max())), {}, None, given=others)
    return replace(design, share=share, condition=by_trial[0]) if share else design
