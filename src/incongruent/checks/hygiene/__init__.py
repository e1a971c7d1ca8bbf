"""Hygiene: what misleads every model of people's trials, looked for before any model is fitted.

Others use `hygiene`; the order of trials, the recording of RTs and pooled people are looked at one
by one.
"""
