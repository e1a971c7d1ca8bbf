"""Amortized Bayesian inference for reaction-time models of conflict tasks, which says plainly when model and data do not go together.

Read trials, simulate, train, infer, check: the modules below are the pipeline, in its order.
"""

from incongruent import datasets, encoders, flows, models, priors
from incongruent.bank import Bank, open_bank, write_bank, write_chunk
from incongruent.bank_keeping import Verification, merge_banks, verify
from incongruent.checking import write_check
from incongruent.checks.diagnosis import Diagnosis, diagnose_training
from incongruent.checks.extension import ExtensionRanking, rank_extensions
from incongruent.checks.hygiene import Hygiene, hygiene
from incongruent.checks.mmd import MmdTest, mmd_of_study, mmd_permutation_test, mmd_test
from incongruent.checks.panel import Panel, predictive_panel
from incongruent.checks.population import PriorCheck, check_prior
from incongruent.checks.suggestion import Suggestion, suggest_prior
from incongruent.checks.summary_space import SummaryDim, SummarySpace, suggest_summary_dim, summary_space
from incongruent.checks.surprise import Surprise, surprise
from incongruent.checks.verdict import Check, Verdict, check
from incongruent.comparison import Comparison, compare, load_comparison
from incongruent.csvs import read_results
from incongruent.designs import Design, ObservedDesign, design_of
from incongruent.draws import Correction, Draws
from incongruent.ensemble import Ensemble
from incongruent.exact import reweight
from incongruent.exchange import export_simulations, import_simulations
from incongruent.fitting import Fit, fit
from incongruent.history import History, Stopped
from incongruent.joint_prior import JointPrior, PriorError, joint_prior_of
from incongruent.likelihood import LikelihoodError, log_likelihood
from incongruent.models import Model, Parameter
from incongruent.networks.architecture import Architecture
from incongruent.nuisance import marginalised
from incongruent.people import over_people
from incongruent.posterior import Posterior, load_posterior
from incongruent.pretrained import pretrained
from incongruent.prior_text import prior_from_file, prior_from_text
from incongruent.priors import Prior, truncated
from incongruent.reading import Coding, DataError, exclusions, read_trials
from incongruent.recipe import Recipe
from incongruent.recorded import simulations_from, trials_from
from incongruent.report import Origin, write_report
from incongruent.scope import ScopeError
from incongruent.simulation import Simulations, Simulator
from incongruent.storage import FileError
from incongruent.training import TrainingError, train
from incongruent.trials import Category, Continuous, Integer, Trials, concatenate, select, to_frame
