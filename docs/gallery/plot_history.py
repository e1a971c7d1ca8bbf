r"""
Did training go well?
=====================

Training and validation loss of the network that ships with the package, and of one that learned its
simulations by heart.
"""

from dataclasses import replace

import incongruent as inc
from incongruent.plots import history_figure

history = inc.pretrained("dmc").history
print(history)
figure = history_figure(history)

# %%
# **How to read it.** The loss is the mean of −log q(θ | trials), lower is better. Validation data
# sets are never
# learned from. The best point, whose weights are kept, is marked; the title says why training
# ended; what a network
# without data would score, the prior, is written at the top.
#
# **Good:** both lines fall and grow flat together. The validation loss may lie lower, since it is
# that of averaged
# weights. **Too short:** the line is still steep at its end, and a longer budget would go on
# improving the network.
#
# **Over-fitting:** the training loss goes on falling while the validation loss has turned, and the
# time after is
# grey. It happens with simulations stored in a bank that is too small. More simulations help most,
# then dropout or a
# smaller network; the weights of the best point are still good.
#
# To show it, the same history with a validation loss that turns half-way:

end = history.evaluations[-1].seconds
spoiled = []
for look in history.evaluations:
    rise = max(0.0, look.seconds / end - 0.5)
    up = {"validation": look.validation + rise, "averaged": look.averaged + rise}
    spoiled.append(replace(look, **up))
turned = history_figure(replace(history, evaluations=tuple(spoiled)))
