r"""
In which respects does the model fail?
======================================

The predictive panel: forty statistics of the data against the fitted model, with calibrated
p-values.
"""

from scipy import stats

import incongruent as inc
from incongruent.plots import panel_figure

model = inc.models.dmc(free=("lapse",))
prior = inc.priors.schaefer2025().extended(lapse=stats.beta(50, 950))
design = inc.Design(300, {"congruent": 0.5, "incongruent": 0.5})
study = inc.Simulator(model, prior, design).simulate(12, seed=1).trials

posterior, few = inc.pretrained("dmc"), {"n_replicates": 60, "n_predictions": 3}
panel = inc.predictive_panel(posterior, study, **few, seed=1)
print(panel)
figure = panel_figure(panel)

# %%
# **How to read it.** Each row is a statistic; the point is observed minus predicted in units of its
# spread over
# studies that were simulated from the fitted model and fitted in the same way. Grey is the band
# that all points stay
# within in 95 % of studies when the model is right. Filled points fail after adjustment for their
# number. At the
# right are the observed and the predicted values.
#
# **Good:** all points within the grey, none filled. **Bad**, as here: the people answer at random
# in one of twenty
# trials, which the fitted model does not know. The spread and the skewness of RTs are larger than
# it can make them,
# and errors are slow.
#
# **Then:** what fails says what is missing. Skewness and slow quantiles: lapses or a drift that
# varies
# (``inc.rank_extensions`` compares them). The delta function: another shape of the automatic
# activation. Fast
# responses: anticipations, a window for RTs.
