"""Scope: are these people such as the simulator makes?

Others use `mmd`, `surprise` and `summary_space`.
"""
