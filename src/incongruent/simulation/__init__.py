"""Simulation: model, prior and design together; theta is drawn, trials are laid out and simulated.

Others use `designs`, their `covariates`, `windows` and `recording`, `observed` (designs and layouts
of studies), `simulator`, `nuisance` (what varies and is not estimated) and `external` (simulations
made elsewhere).
"""
