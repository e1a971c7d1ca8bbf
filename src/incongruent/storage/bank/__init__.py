"""Banks: simulations in a folder, in chunks that are complete or absent.

Others use `bank` (write and read), `upkeep` (verify, merge) and `card` (what made a bank); `layout`
is how chunks lie on disk.
"""
