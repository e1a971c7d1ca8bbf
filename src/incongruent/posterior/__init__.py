"""Posteriors: what training returns, what is saved, and what gives draws for any study.

Others use `posterior`, `about` (what a saved one says of itself), `draws`, `ensemble`,
`pretrained`, `scope` (what a network was trained for) with the `statistics` that describe a data
set, `history`, `parallel` (many people at a time), `progress` (what is shown meanwhile) and
`compiling` (the cache of compiled programs).
"""
