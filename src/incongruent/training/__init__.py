"""Training: simulations in, an amortized posterior out.

Others use `train`, `compare` (model comparison) and `recipe`; `sources` give data, fresh or stored,
and `loop` learns.
"""
