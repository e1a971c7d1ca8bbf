r"""
Do predictions look like the data?
==================================

RT distribution, conditional accuracy, delta function and errors of a study, over what the fitted
model predicts.
"""

import incongruent as inc
from incongruent.plots import people_figures, predictive_figure

study = inc.demo_study().select(range(8))
result = inc.fit(inc.pretrained("dmc"), study, n_draws=300, seed=1)
figure = predictive_figure(result.prediction)

# %%
# **How to read it.** Points are data, bands hold the middle 90 % of what the fitted model predicts
# for a study of the
# same people, trials and size. Bands hold the posterior's uncertainty as well as the noise of a
# study.
#
# **Good:** points lie within the bands but for one in ten. **Bad:** points leave a band on the same
# side in a row.
# Slow quantiles beyond the band speak of lapses or of a drift that varies over trials; errors that
# are too few among
# the fastest trials, of an automatic activation of another shape; a delta function that falls where
# the band rises,
# of activation that is suppressed.
#
# **Then:** the eye is lenient, since the same data were fitted. The predictive panel,
# :ref:`sphx_glr_auto_gallery_plot_panel.py`, judges the same by calibrated p-values; extend the
# model where it fails,
# and ask again.
#
# The same for each person:

pages = people_figures(result.prediction)
