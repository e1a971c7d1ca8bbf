r"""
Does the network find what is known?
====================================

Recovery: posterior means against the true parameters of simulated data sets.
"""

import incongruent as inc
from incongruent.plots import recovery_figure

posterior = inc.pretrained("dmc")
recovery = inc.recover(posterior, n_datasets=400, n_draws=200, seed=1)
print(recovery)
figure = recovery_figure(recovery, posterior.simulator.model.parameters)

# %%
# **How to read it.** Each point is a simulated data set; on the line the posterior mean is the
# truth. Dark points
# have many trials, light ones few.
#
# **Good:** a cloud along the line that grows narrower as points grow darker. **Expected:** with few
# trials the means
# are drawn towards the middle of the prior, so that the cloud is flatter than the line; that is
# what a posterior mean
# should do. **Bad:** dark points that leave the line, or a cloud that is flat at any number of
# trials: these data do
# not tell the parameter, whoever estimates it, or the network has not learned to.
#
# **Then:** see whether ranks are uniform, :ref:`sphx_glr_auto_gallery_plot_calibration.py`. If they
# are, the design
# is at fault and more trials are needed; if not, train longer, or correct by the exact likelihood
# (``inc.reweight``).
