r"""
Do probabilities mean what they say?
====================================

Simulation-based calibration: ranks of the truth among posterior draws, coverage of intervals, and
z-scores against contraction.
"""

import incongruent as inc
from incongruent.plots import calibration_figure

posterior = inc.pretrained("dmc")
calibration = inc.calibrate(posterior, n_datasets=100, n_draws=200, corrected=True, seed=1)
print(calibration)
figure = calibration_figure(calibration)

# %%
# **How to read it.** In the small panels the line is the distribution of ranks minus the uniform
# one, and grey is the band that the whole line stays within for nineteen of twenty calibrated
# quantities. Coverage says by how many percent too many intervals contain the true value. The last
# panel shows how much data teach (contraction, to the right) and whether the error is as large as
# the posterior says (z-scores of 0 ± 1, grey).
#
# **Good:** all lines within their bands. **Bad:** a line that is above 0 first and below it later
# means posteriors that
# are too narrow, the other way round too wide; coverage below 0 is over-confidence, too. A line all
# above 0 means ranks
# that are too low, thus estimates that are too high; all below 0, estimates that are too low.
#
# **Then:** correct by the exact likelihood (``inc.reweight``, which ``inc.fit`` does by itself) and
# calibrate again
# with ``corrected=True``; train longer; and use a thousand data sets, not a hundred as here, before
# believing that
# all is well.
