"""Encoders to choose from: what reads the trials, and how large it is.

``inc.Architecture(encoder=inc.encoders.DeepSet(width=64))``

A new encoder is one file, with its options and the network that they build, and a line here.
"""

from incongruent.networks.deep_set import DeepSet
from incongruent.networks.histogram import Histogram
from incongruent.networks.set_transformer import SetTransformer
from incongruent.networks.vector import MLP

__all__ = ["MLP", "DeepSet", "Histogram", "SetTransformer"]
