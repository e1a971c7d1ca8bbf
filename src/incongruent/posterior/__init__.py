"""Posteriors: what training returns, what is saved, what is asked for draws.

Others use `posterior`, `about` (what a saved one says of itself), `draws`, `ensemble`,
`pretrained`, `scope` (what a network was trained for) with the `statistics` that it looks at,
`history`, `parallel` (many people at a time), `progress` (what is shown meanwhile) and `compiling`
(compiled programs are kept).
"""
