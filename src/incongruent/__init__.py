"""Amortized Bayesian inference for reaction-time models of conflict tasks, which says plainly when
model and data do not go together.

Read trials, simulate, train, infer, check: the rooms of this package are the pipeline, in its
order. The public names stand in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
