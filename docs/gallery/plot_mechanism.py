r"""
The model at work
=================

What the Diffusion Model for Conflict tasks does at given parameter values: mean activation on its
way to a bound, and the densities of RTs that come of it.
"""

import incongruent as inc
from incongruent.models.curves import mean_activation, rt_densities
from incongruent.plots import mechanism_figure

model = inc.models.dmc()
theta = {"A": 20, "tau": 80, "mu_c": 0.45, "b": 60, "mu_R": 340, "sd_R": 35}
values = [theta[name] for name in model.parameter_names]
activation, densities = mean_activation(model, values), rt_densities(model, values)
figure = mechanism_figure(activation, densities)

# %%
# **How to read it.** Left: the automatic activation (thin, dash-dotted) rises and dies away. It
# helps the controlled
# process (dotted) in congruent trials and works against it in incongruent ones; the thick lines are
# the sums, without
# the noise that makes trials differ. Right: densities of correct RTs above the line and of errors
# below it, on the
# same scale. They come from the forward equation, not from simulation, and both parts of a
# condition integrate to one
# together.
#
# **What to look for.** An automatic activation that is over early makes fast errors in incongruent
# trials, and a
# delta function that falls towards slow responses. One that lasts (a large ``tau``) works like a
# change of the drift:
# delta rises, and ``A`` and ``tau`` are hard to tell apart.
#
# **When it looks wrong.** If the incongruent path leaves through the lower bound, the model makes
# mostly errors: such
# values are hardly those of a person who does the task. Look at the prior.
#
# Errors of congruent and incongruent trials, as shares:

print(densities.share("error"))
