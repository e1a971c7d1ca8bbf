"""The exact likelihood: posteriors corrected by it, or sampled from it.

Others use `likelihood`, `importance` and `reweight`; `mcmc` samples the people whose importance
weights cannot be trusted, and `model_frequencies` compares models over people by their evidence.
"""
