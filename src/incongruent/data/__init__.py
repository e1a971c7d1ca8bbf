"""Data: trials, simulated or observed, and the way from people's files to them.

Others use `trials`, their `columns`, `long_format` (one row per trial, as in most files),
`matching` (what is read must fit what was trained), `positions` (which data sets are meant),
`arrays`, `datasets`, `demo`, and from reading `codings`, `doors`, `files`, `reading` and `values`.
`basics` holds what every room needs: plain values, options, random streams, tables of results.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["datasets"])
