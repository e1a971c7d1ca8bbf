"""Checks: numbers only; each returns a record that prints as a sentence or a table.

`network`: is the network right? `hygiene`, `scope`, `model`, `prior`: are these people, and is the
model right for them? `verdict` asks all, `record` holds what was found, `conclusions` names what
that may come to. Plots and tests also read `statistics` and `panel_statistics`.
"""
