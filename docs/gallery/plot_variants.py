r"""
Which variant of the model?
===========================

Evidence of other models for the same people: person by person, over all of them, and how frequent
each is.
"""

import incongruent as inc
from incongruent.plots import variants_figure

study = inc.demo_study().select(slice(6))
fit = inc.fit(inc.pretrained("dmc"), study, n_draws=200, seed=1)
found = inc.variants(fit.draws, study, ["lapses", "narrow start"], seed=1)
print(found)
figure = variants_figure(found)

# %%
# **How to read it.** One row a variant, the one with the largest evidence on top. On the left each
# circle is a person: log evidence under the variant less that under the model as fitted, in nats;
# 3 nats are odds of 20 to 1. In the grey nothing is decided. In the middle is the sum over people;
# orange ticks show it for priors of the new parameters that are half as wide (up) and twice as wide
# (down). On the right is the share of people who are expected to come from each variant, with a
# 90 % interval, and, as squares, those for whom its evidence is the largest.
#
# **Good:** the model as fitted on top, as here, where it made the data: the others are left of the
# line or in the grey. **Bad:** most people beyond the grey on the right. Then the model lacks
# something that the variant has. A few people far on the right and the others on the left: people
# differ; look at these few.
#
# **Then:** the posteriors under the variant are there, ``found["lapses"].draws``. To use it for
# more people and to check it, train a network for it. And ask whether the better model predicts the
# data: evidence says which is better, not that it is right.
