"""Files of any format as frames: what a file is, where its table begins, and several files as one.

Others use `tables`, and `cells` (which columns hold numbers); `reading` makes trials of what comes
out.
"""
