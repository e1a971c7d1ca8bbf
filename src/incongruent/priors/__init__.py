"""Priors: what is believed of each parameter before data.

They are independent or joint, and can be written in Python, in words or in a file.

Here are those that ship: ``inc.priors.schaefer2025()``. Others use `independent`, `joint`,
`distributions`, `published` and `text`.
"""

from incongruent.priors.distributions import Distribution, Truncated
from incongruent.priors.published import (
    NAMED,
    broad,
    broad_dstp,
    broad_rdmc,
    broad_ssp,
    broad_undershoot,
    drift_variability,
    lapse_rate,
    named_prior,
    schaefer2024_initial,
    schaefer2025,
)

__all__ = [
    "NAMED",
    "Distribution",
    "Truncated",
    "broad",
    "broad_dstp",
    "broad_rdmc",
    "broad_ssp",
    "broad_undershoot",
    "drift_variability",
    "lapse_rate",
    "named_prior",
    "schaefer2024_initial",
    "schaefer2025",
]
