"""Training: simulations in, an amortized posterior out.

Others use `train`, `compare` and `comparison` (model comparison), and `recipe`. `sources` open the
`batches` that a `learner` draws from, a `buffer` or a `cache`; `loop` learns.
"""
