"""From a table to trials: which column is what, what its codes mean, whose trials the rows are.

Others use `read_trials`, and `roles` (which columns were found). The other modules are its steps;
each refuses what it does not understand, and says why.
"""
