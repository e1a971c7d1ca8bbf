"""Hygiene: what misleads every model of people's trials, checked before any model is fitted.

Others use `hygiene`, the records of `findings`, and `observed` (how RTs were recorded).
"""
