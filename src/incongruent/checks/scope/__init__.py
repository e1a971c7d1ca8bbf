"""Scope: are these people such as the simulator makes?

Others use `mmd`, `mmd_result`, `permutation`, `surprise`, `summary_space` and `summary_dim`.
"""
