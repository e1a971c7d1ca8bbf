"""Networks: encoders read trials, flows give the posterior its shape, estimators join the two.

Others choose by `architecture`, `encoders` and `flows`, and build by `task`, `estimator` and
`classifier`. Training also needs `encoder` (the interface) and `layers`, and a design asks
`histogram` for its axis. A new encoder, or a new flow, is one file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["encoders", "flows"])
