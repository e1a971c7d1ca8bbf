"""Banks: simulations in a folder, in chunks that are whole or absent.

Others use `bank` (write and read) and `upkeep` (verify, merge); `layout` is how chunks lie on disk.
"""
