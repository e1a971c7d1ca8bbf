"""The exact likelihood: posteriors corrected by it, or sampled from it.

Others use `likelihood`, `importance` and `reweight`, and `recorded`, for trials that end where the
network knows of no end. People whom the network does not know are sampled anew, by `adaptive`
importance sampling or `mcmc`. `variants` of the model, made by `changes`, each a `change`, need no
training; `widths` asks them under other widths of the priors of new parameters; `model_frequencies`
compares them over people by their evidence, and `variant_results` holds what was found.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["changes"])
