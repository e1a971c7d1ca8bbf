r"""
The posterior of one person
===========================

A corner plot: all pairs of parameters of one person, and the marginal of each over its prior.
"""

import incongruent as inc
from incongruent.plots import pairs_figure

posterior = inc.pretrained("dmc")
draws = posterior.sample(inc.demo_study(), 1000, seed=1)
truth = inc.demo_truth()[list(draws.parameter_names)].iloc[3]
figure = pairs_figure(draws, 3, truth=truth)

# %%
# **How to read it.** On the diagonal, the posterior (blue) over the prior (grey); below it, draws
# of pairs. Dashed
# lines are the true values, known here because the study is simulated.
#
# **Good:** posteriors much narrower than their priors, with the truth somewhere among the draws.
# **Bad:** a posterior
# that looks like its prior, from which nothing was learned; a posterior that piles up at the edge
# of its prior, which
# then speaks more than the data; or clouds like thin ridges, where two parameters can make up for
# each other and only
# their combination is known.
#
# **Then:** for an edge, ask ``inc.check`` whether the prior should move. For a ridge, report both
# parameters
# together, or fix one.
