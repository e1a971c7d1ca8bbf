"""Hygiene: what misleads every model of people's trials, checked before any model is fitted.

Others use `hygiene` and the records of `findings`.
"""
