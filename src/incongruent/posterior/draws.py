"""Draws from the posteriors of many people, and how they were corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import arviz_base
import numpy as np
import pandas as pd
import xarray as xr

from incongruent.data.basics.notebook import html
from incongruent.data.basics.plain import text_of
from incongruent.data.positions import positions_of
from incongruent.priors.joint import JointPrior
from incongruent.simulation.recording import Recording
from incongruent.simulation.simulator import Simulator
from incongruent.simulation.windows import Range

Array = np.ndarray

QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
BY_NETWORK, BY_ADAPTIVE, BY_MCMC = (
    "network, reweighted",
    "adaptive importance sampling",
    "MCMC",
)
WAYS = (BY_NETWORK, BY_ADAPTIVE, BY_MCMC)
"""How draws of a person may have been corrected."""
IN_TABLE = (
    "k_hat",
    "ess",
    "log_evidence",
    "log_evidence_error",
    "sampled_by",
    "effective_draws",
    "trusted",
    "accurate",
    "mcmc_steps",
    "autocorrelation_time",
)
"""Attributes of a correction that its table has."""
IN_ARVIZ = ("k_hat", "ess", "log_evidence", "log_evidence_error", "effective_draws", "trusted")
"""Attributes of a correction that ArviZ is given, person by person."""


@dataclass(frozen=True, eq=False)
class Correction:
    """How draws were corrected by the exact likelihood, person by person.

    Attributes:
        k_hat: (person,) shape of the largest importance weights of the network's draws; above about
            0.67 they cannot be trusted.
        ess: (person,) effective share of the network's draws, 1 for a perfect network.
        log_evidence: (person,) log p(trials) under model and prior, in nats.
        log_evidence_error: (person,) its Monte Carlo standard error.
        accurate: (person,) whether log likelihoods are within 0.05 nats of a finer computation; it
            fails for answers far too fast for the model.
        sampled_by: (person,) one of ``WAYS``: where the draws come from.
        effective_draws: (person,) how many independent draws would say as much.
        trusted: (person,) whether the draws can be used: weights with a good k-hat, or MCMC that
            ran long enough.
        mcmc_steps: (person,) steps of the ensemble after burn-in; 0 without MCMC.
        autocorrelation_time: (person,) the longest of the parameters, in steps; NaN without MCMC.
        log_likelihood: (person, draw) exact, at the draws.
    """

    k_hat: Array
    ess: Array
    log_evidence: Array
    log_evidence_error: Array
    accurate: Array
    sampled_by: Array
    effective_draws: Array
    trusted: Array
    mcmc_steps: Array
    autocorrelation_time: Array
    log_likelihood: Array

    def select(self, people: Array) -> Correction:
        """The correction of some of the people, by position."""
        return Correction(**{name: values[people] for name, values in vars(self).items()})

    def table(self) -> pd.DataFrame:
        """One row per person: the attributes that have one value a person.

        They are k_hat, ess, log_evidence, log_evidence_error, sampled_by, effective_draws, trusted,
        accurate, mcmc_steps and autocorrelation_time.
        """
        return pd.DataFrame({name: getattr(self, name) for name in IN_TABLE})

    def is_by(self, way: str) -> Array:
        """Whose draws were found in one of ``WAYS``, bool (person,)."""
        return self.sampled_by == way


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of theta for each person.

    Attributes:
        theta: (person, draw, parameter), in the parameters' units; rows keep the joint posterior.
        log_q: (person, draw), log density of the approximate posterior at the draw, in the space of
            theta.
        simulator: model, prior and design that the posterior rests on.
        names: what the people are called.
        flags: for each person, in what they lie outside what the network was trained for; empty for
            most.
        correction: how they were corrected by the exact likelihood; None as they come from the
            network.
    """

    theta: Array
    log_q: Array
    simulator: Simulator
    names: tuple[str, ...]
    flags: tuple[tuple[str, ...], ...] = ()
    correction: Correction | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(text_of, self.names)))
        if not self.flags:
            object.__setattr__(self, "flags", ((),) * len(self.names))
        people, draws, parameters = self.theta.shape
        if (
            self.log_q.shape != (people, draws)
            or len(self.names) != people
            or len(self.parameter_names) != parameters
        ):
            raise ValueError(
                "Expected theta (person, draw, parameter) with log_q (person, draw), a name each"
                f" person and {self.parameter_names}; got {self.theta.shape}, {self.log_q.shape}"
                f" and {len(self.names)} names."
            )

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        corrected = "; corrected by the exact likelihood" if self.correction is not None else ""
        return (
            f"Draws({len(self)} people × {self.theta.shape[1]} draws of"
            f" {', '.join(self.parameter_names)}{corrected}{self._outside_words()}"
            f"{self._beyond_words()})"
        )

    def _repr_html_(self) -> str:
        return html(repr(self), (), self.summary())

    def _outside_words(self) -> str:
        """How many people have flags; nothing when none have."""
        flagged = sum(bool(flags) for flags in self.flags)
        if not flagged:
            return ""
        return f"; {flagged} people outside what the network was trained for, see flags"

    def _beyond_words(self) -> str:
        """Which parameters have draws outside the range of stored simulations; nothing if none."""
        return "".join(
            f"; {share:.1%} of the draws of {name} outside of the range of the simulations"
            for name, share in self.beyond_sample_range.items()
            if share
        )

    @property
    def beyond_sample_range(self) -> dict[str, float]:
        """By parameter, the share of draws outside of the range of stored simulations.

        It is empty where the prior is known. See `simulations_from`.
        """
        prior = self.simulator.prior
        if not isinstance(prior, JointPrior) or prior.sample_range is None:
            return {}
        shares = prior.beyond(self.theta).reshape(-1, len(prior.names)).mean(axis=0)
        return dict(zip(prior.names, shares.tolist(), strict=True))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The columns of theta."""
        return self.simulator.prior.names

    @property
    def means(self) -> Array:
        """Posterior means, (person, parameter)."""
        return self.theta.mean(axis=1)

    @property
    def contraction(self) -> Array:
        """1 - posterior variance / prior variance, (person, parameter).

        It is 0 where the data say nothing about a parameter, and 1 where they determine it.
        """
        if self.theta.shape[1] <= 1:
            return np.full(self.means.shape, np.nan)
        return 1.0 - self.theta.var(axis=1) / self.simulator.prior.variances()

    def summary(self) -> pd.DataFrame:
        """One row per person and parameter: mean, sd, q05, q50, q95, contraction."""
        people, _, parameters = self.theta.shape
        columns = {
            "participant": np.repeat(np.asarray(self.names, object), parameters),
            "parameter": np.tile(self.parameter_names, people),
            "mean": self.means.ravel(),
            "sd": self.theta.std(axis=1, ddof=1).ravel(),
        }
        columns |= {name: values.ravel() for name, values in self._quantiles().items()}
        return pd.DataFrame({**columns, "contraction": self.contraction.ravel()})

    def _quantiles(self) -> dict[str, Array]:
        """Posterior quantiles by name, each (person, parameter)."""
        quantiles = np.quantile(self.theta, list(QUANTILES.values()), axis=1)
        return dict(zip(QUANTILES, quantiles, strict=True))

    def to_arviz(self) -> xr.DataTree:
        """The draws for ArviZ, in the groups ``posterior`` and ``sample_stats``.

        ``posterior`` has one variable a parameter, with the dimensions chain, draw and person;
        ``sample_stats`` has log_q and, after correction, log_likelihood, and for each person k_hat,
        ess, log_evidence, log_evidence_error, effective_draws and trusted. Draws form one chain. A
        parameter whose name cannot be a variable's, since it has a "/" or is a dimension's, gets
        underscores; the attribute ``parameter`` has its name.
        """
        posterior, stats = self._posterior_variables(), self._sample_stats()
        tree = arviz_base.from_dict(
            {"posterior": posterior, "sample_stats": stats},
            dims={name: ["participant"] for name in (*posterior, *stats)},
            coords={"participant": list(self.names)},
        )
        if self.correction is not None:
            _add_by_person(tree, self.correction)
        self._name_variables(tree, list(posterior))
        return tree

    def _name_variables(self, tree: xr.DataTree, variables: Sequence[str]) -> None:
        """Give each variable of the group ``posterior`` the name and the unit of its parameter."""
        units = {p.name: p.unit for p in self.simulator.model.parameters}
        for variable, name in zip(variables, self.parameter_names, strict=True):
            tree["posterior"][variable].attrs.update(units=units[name], parameter=name)

    def _posterior_variables(self) -> dict[str, Array]:
        """By variable the draws of a parameter, (chain, draw, person)."""
        by_draw = np.swapaxes(self.theta, 0, 1)[None]  # (chain, draw, person, parameter)
        names = _variables(self.parameter_names)
        return {variable: by_draw[..., i] for i, variable in enumerate(names)}

    def _sample_stats(self) -> dict[str, Array]:
        """Log densities of the draws, each (chain, draw, person)."""
        stats = {"log_q": self.log_q.T[None]}
        if self.correction is not None:
            stats["log_likelihood"] = self.correction.log_likelihood.T[None]
        return stats

    def recorded_as(
        self,
        recording: Recording | None = None,
        *,
        window: Range | None = None,
        deadline: float | None = None,
    ) -> Draws:
        """The network's draws for data recorded in another way, see `Posterior.recorded_as`.

        Raises:
            ValueError: for draws that have been corrected by the likelihood of other data.
        """
        if self.correction is not None:
            raise ValueError(
                "Expected draws as they come from the network; these have been corrected already."
                " Take those of Posterior.recorded_as(…).sample, and correct them."
            )
        changed = self.simulator.recorded_as(recording, window=window, deadline=deadline)
        return replace(self, simulator=changed)

    def select(self, people: Sequence[int] | Sequence[str] | Array | slice | int | str) -> Draws:
        """The draws of some of the people; which, as in `incongruent.select`."""
        index = positions_of(self.names, people)
        names, flags = (tuple(of[i] for i in index) for of in (self.names, self.flags))
        correction = self.correction.select(index) if self.correction else None
        return Draws(self.theta[index], self.log_q[index], self.simulator, names, flags, correction)


def _add_by_person(tree: xr.DataTree, correction: Correction) -> None:
    """Add what a correction says of each person to the group ``sample_stats``."""
    by_person = {name: ("participant", getattr(correction, name)) for name in IN_ARVIZ}
    tree["sample_stats"] = xr.DataTree(tree["sample_stats"].to_dataset().assign(by_person))


DIMENSIONS = ("chain", "draw", "participant")


def _variables(names: Sequence[str]) -> list[str]:
    """Names for variables in ArviZ and netCDF, all different: those of parameters if possible."""
    made: list[str] = []
    for name in names:
        variable = name.replace("/", "_")
        while variable in ("", ".", "..", *DIMENSIONS, *made):
            variable += "_"
        made.append(variable)
    return made
