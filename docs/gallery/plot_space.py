r"""
Where do people lie in summary space?
=====================================

Learned summaries of simulated and observed data sets on their principal components.
"""

import incongruent as inc
from incongruent.plots import space_figure

posterior, studies = inc.pretrained("dmc"), {"demo study": inc.demo_study()}
priors = {"a published prior": inc.priors.schaefer2025()}
space = inc.summary_space(posterior, studies, priors=priors, n_simulated=600, seed=1)
print(space)
figure = space_figure(space)

# %%
# **How to read it.** Grey points are data sets that the network's own prior and model make, squares
# are people,
# crosses another prior. The diagonal shows each component's distribution and the parameter that it
# goes along with
# most.
#
# **Good:** people lie within the grey. **Bad:** people at the rim or beyond it: the network has to
# extrapolate there.
# If they lie beside the grey on the component of one parameter, the prior of that parameter does
# not reach them; if
# they lie beside it on a component that goes along with nothing, it is the model, the coding or the
# unit.
#
# **Then:** move the prior (``inc.suggest_prior``), read the hygiene report (``inc.hygiene``), or
# extend the model.
