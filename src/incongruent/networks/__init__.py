"""Encoders, flows, and the estimator made of the two."""
