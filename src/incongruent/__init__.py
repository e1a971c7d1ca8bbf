"""Amortized Bayesian inference for reaction-time models of conflict tasks, which says plainly when model and data do not go together.

Read trials, simulate, train, infer, check: the modules below are the pipeline, in its order.
"""

from incongruent import encoders, flows, models, priors
from incongruent.designs import Design, ObservedDesign, design_of
from incongruent.draws import Correction, Draws
from incongruent.exact import reweight
from incongruent.fitting import Fit, fit
from incongruent.history import History, Stopped
from incongruent.likelihood import LikelihoodError, log_likelihood
from incongruent.models import Model, Parameter
from incongruent.networks.architecture import Architecture
from incongruent.posterior import Posterior, load_posterior
from incongruent.pretrained import pretrained
from incongruent.priors import Prior, truncated
from incongruent.reading import Coding, DataError, exclusions, read_trials
from incongruent.recipe import Recipe
from incongruent.scope import ScopeError
from incongruent.simulation import Simulations, Simulator
from incongruent.storage import FileError
from incongruent.training import TrainingError, train
from incongruent.trials import Category, Continuous, Integer, Trials, concatenate, select, to_frame
