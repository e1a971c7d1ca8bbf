"""Encoders to choose from: what reads the trials, and how large it is.

``inc.Architecture(encoder=inc.encoders.DeepSet(width=64))``
"""

from incongruent.networks.histogram import Histogram
from incongruent.networks.sets import MLP, DeepSet, SetTransformer

__all__ = ["MLP", "DeepSet", "Histogram", "SetTransformer"]
