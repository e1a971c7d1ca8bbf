r"""
Are these people what the model simulates?
==========================================

The study as a whole by an MMD test, and each of its people by how unlike the simulations they are.
"""

import numpy as np

import incongruent as inc
from incongruent.plots import misspecification_figure

posterior, study = inc.pretrained("dmc"), inc.demo_study()
few = {"n_reference": 300, "n_fresh": 600, "n_null": 499}
test = inc.mmd_of_study(posterior, study, **few, seed=1)
people = inc.surprise(posterior, study, n_simulated=800, seed=1)
print(test)
print(people)
figure = misspecification_figure(test, people)

# %%
# **How to read it.** Left: grey is how far studies of this size from model and prior lie from the
# reference; the line
# is this study. Right: each person's conformal p-value, rarest on top, against how deep among the
# simulations the
# person lies.
#
# **Good:** the line among the grey, and everybody inside. **Bad:** a line in the critical region
# means that the study
# as a whole differs, in where its people lie or in how alike they are, which the printed sentence
# tells apart; here
# the people are more alike than the broad prior says, which does no harm to anybody's posterior.
# People outside
# (orange diamonds, named) do something the model never does: guessing, pauses, another coding.
#
# **Then:** look at the raw trials of people outside first. ``inc.check`` tells whether the prior,
# the model or
# neither should change.
#
# The same study, where three people answer at random in half of the trials:

rng = np.random.default_rng(1)
frame = study.to_frame()
guessed = frame["participant"].isin(study.names[:3])
guessed &= rng.random(len(frame)) < 0.5
frame.loc[guessed, "rt"] = np.float32(rng.uniform(200, 260, guessed.sum()))
frame.loc[guessed, "response"] = rng.choice(["correct", "error"], guessed.sum())
guessing = inc.read_trials(frame, unit="ms")
found = inc.surprise(posterior, guessing, n_simulated=800, seed=1)
print(found)
test_again = inc.mmd_of_study(posterior, guessing, **few, seed=1)
changed = misspecification_figure(test_again, found)
