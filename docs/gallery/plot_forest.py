r"""
Everybody's parameters
======================

A forest: each parameter of each person with its uncertainty, and the mean of all people.
"""

import incongruent as inc
from incongruent.plots import forest_figure

posterior = inc.pretrained("dmc")
draws = posterior.sample(inc.demo_study(), 1000, seed=1)
figure = forest_figure(draws, sort_by="A")

# %%
# **How to read it.** Dots are posterior means, thick lines hold the central 50 % of the posterior,
# thin ones 90 %.
# The diamond is the mean of these very people, the grey band its 90 % interval; it says how well
# the mean of the
# sample is known, not how a population would vary.
#
# **Good:** intervals are short compared with the differences between people; then people can be
# told apart, and
# correlated with other measures. **Bad:** intervals as long as the whole panel, as for ``tau`` in
# short tasks: data
# taught little, and means lie close together because the prior draws them there. **Then:** collect
# more trials, use
# the whole posterior instead of its mean in later analyses, and do not read the order of people as
# a result.
#
# Orange and hollow are people outside what the network was trained for, if there are any; see their
# ``flags``.
