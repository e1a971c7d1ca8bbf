"""Published and ready-made priors, by name: ``inc.priors.schaefer2025()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy import stats

from incongruent.priors.distributions import Distribution, truncated
from incongruent.priors.independent import Prior


def _normal(mean: float, sd: float) -> Any:
    return stats.norm(mean, sd)


def _normals(
    means_and_sds: Mapping[str, tuple[float, float]], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Distribution]:
    return {
        name: truncated(_normal(mean, sd), *ranges[name])
        for name, (mean, sd) in means_and_sds.items()
    }


SENSIBLE_RANGE = {
    "A": (0.0, 60.0),
    "tau": (5.0, 300.0),
    "mu_c": (0.05, 1.2),
    "b": (20.0, 150.0),
    "mu_R": (150.0, 800.0),
    "sd_R": (2.0, 100.0),
}
WIDE_RANGE = SENSIBLE_RANGE | {"A": (0.0, 150.0)}


def schaefer2025() -> Prior:
    """What one published flanker analysis ended with."""
    moments = {
        "A": (20.5, 8.4),
        "tau": (118.4, 37.6),
        "mu_c": (0.57, 0.12),
        "b": (61.0, 13.2),
        "mu_R": (358.0, 24.3),
        "sd_R": (36.9, 8.6),
    }
    return Prior(**_normals(moments, SENSIBLE_RANGE))


def schaefer2024_initial() -> Prior:
    """What that analysis began with: A lies far from where people are."""
    moments = {
        "A": (70.8, 19.4),
        "tau": (114.7, 40.1),
        "mu_c": (0.71, 0.14),
        "b": (98.4, 30.1),
        "mu_R": (332.0, 52.0),
        "sd_R": (43.4, 9.2),
    }
    return Prior(**_normals(moments, WIDE_RANGE))


def broad() -> Prior:
    """Wide enough for flanker, Simon and Stroop tasks; the prior of the network that ships."""
    moments = {
        "A": (20.0, 15.0),
        "mu_c": (0.55, 0.2),
        "b": (62.0, 20.0),
        "mu_R": (350.0, 80.0),
        "sd_R": (38.0, 15.0),
    }
    normals = _normals(moments, SENSIBLE_RANGE)
    lognormal: Any = stats.lognorm(0.6, scale=80.0)
    tau = truncated(lognormal, 10.0, 300.0)
    return Prior(A=normals.pop("A"), tau=tau, **normals)


def broad_undershoot() -> Prior:
    """`broad` for DMC whose activation may undershoot (``models.dmc(free=["undershoot"])``).

    Every value that the parameter may have is as likely.
    """
    uniform: Any = stats.uniform(0.0, 0.6)
    return broad().extended(undershoot=uniform)


def broad_rdmc() -> Prior:
    """Wide, for the revised DMC (with a point start and A0 = 1) on flanker and Simon tasks.

    Maximum-likelihood fits of the 16 people each of Ulrich et al. (2015) lie well within. Their
    means (SDs over people) are A 12 (5), tau 25 (26), d_c 0.58 (0.12), b 58 (7), mu_R 302 (30),
    sd_R 27 (8) in the flanker task, and A 9 (6), tau 17 (10) in the Simon task. Fits with a varying
    start have a shorter tau, often less than 5 ms.
    """
    ranges = {
        "A": (0.0, 60.0),
        "d_c": (0.05, 1.5),
        "b": (20.0, 200.0),
        "mu_R": (150.0, 800.0),
        "sd_R": (2.0, 100.0),
    }
    moments = {
        "A": (12.0, 10.0),
        "d_c": (0.55, 0.2),
        "b": (60.0, 20.0),
        "mu_R": (330.0, 80.0),
        "sd_R": (35.0, 15.0),
    }
    normals = _normals(moments, ranges)
    lognormal: Any = stats.lognorm(0.8, scale=22.0)
    return Prior(A=normals.pop("A"), tau=truncated(lognormal, 3.0, 300.0), **normals)


def broad_ssp() -> Prior:
    """Wide, for the shrinking spotlight model (with sd_0 = 1.5) on flanker tasks.

    The values usual in the literature (`models.ssp`) lie well within, and so do maximum-likelihood
    fits of the 16 people in the flanker task of Ulrich et al. (2015), whose means (SDs over people)
    are p 0.56 (0.10), t_int 46 (12), b 58 (8), mu_R 302 (21), sd_R 28 (8). Fits with a varying
    start have a shorter t_int, about 35.
    """
    ranges = {"p": (0.05, 1.5), "b": (20.0, 200.0), "mu_R": (150.0, 800.0), "sd_R": (2.0, 100.0)}
    normals = _normals(
        {"p": (0.55, 0.2), "b": (65.0, 22.0), "mu_R": (330.0, 80.0), "sd_R": (35.0, 15.0)}, ranges
    )
    lognormal: Any = stats.lognorm(0.7, scale=60.0)
    return Prior(p=normals.pop("p"), t_int=truncated(lognormal, 5.0, 600.0), **normals)


def broad_dstp() -> Prior:
    """Wide, for the dual-stage two-phase model on flanker tasks.

    The values usual in the literature (`models.dstp`) lie within, and so do the simulations whose
    quantiles and errors are nearest to those of the 16 people in the flanker task of Ulrich et al.
    (2015): on average mu_t 0.14, mu_fl 0.15, mu_ss 0.64, mu_rs2 1.8, b 84, c 86, mu_R 261, sd_R 29.
    """
    moments = {
        "mu_t": (0.13, 0.09),
        "mu_fl": (0.15, 0.1),
        "mu_ss": (0.55, 0.2),
        "mu_rs2": (1.6, 0.6),
        "b": (85.0, 25.0),
        "c": (100.0, 30.0),
    }
    ranges = {
        "mu_t": (0.0, 0.8),
        "mu_fl": (0.0, 0.8),
        "mu_ss": (0.02, 1.5),
        "mu_rs2": (0.1, 4.0),
        "b": (20.0, 200.0),
        "c": (20.0, 300.0),
    }
    residual = {"mu_R": (275.0, 80.0), "sd_R": (35.0, 15.0)}
    return Prior(
        **_normals(moments | residual, ranges | {"mu_R": (100.0, 800.0), "sd_R": (2.0, 100.0)})
    )


NAMED = {"schaefer2025": schaefer2025, "schaefer2024_initial": schaefer2024_initial, "broad": broad}


def lapse_rate() -> Any:
    """How often people answer at random, for networks that are to be robust against it.

    The mean is 4.8 %; 95 % of people are below 13.9 %.
    """
    return stats.beta(1.0, 20.0)


def drift_variability() -> Distribution:
    """The SD of drift over trials, in 1/ms: half-normal with scale 0.25, up to 2."""
    half_normal: Any = stats.halfnorm(0.0, 0.25)
    return truncated(half_normal, 0.0, 2.0)


def named_prior(name: str) -> Prior:
    """One of the priors of DMC that ship: schaefer2025, schaefer2024_initial, broad.

    Raises:
        ValueError: for any other name.
    """
    if name not in NAMED:
        raise ValueError(f"Expected one of the priors {sorted(NAMED)}; got {name!r}.")
    return NAMED[name]()
