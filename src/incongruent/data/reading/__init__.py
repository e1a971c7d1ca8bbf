"""From a table to trials: which column is what, what its codes mean, whose trials the rows are.

Others use `read_trials`, and `roles` (the columns that were found). Every other module is a step
that can refuse, and says why.
"""
