"""Flows to choose from: what gives the posterior its shape, and how large it is.

``inc.Architecture(flow=inc.flows.CouplingFlow(n_layers=6))``

A new flow is one file, with its options and the layers that they build, and a line here.
"""

from incongruent.networks.autoregressive import AutoregressiveFlow
from incongruent.networks.coupling import CouplingFlow

__all__ = ["AutoregressiveFlow", "CouplingFlow"]
