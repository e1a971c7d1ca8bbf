# The public names, by stage. Each is imported when it is first used, so that `import incongruent`
# takes no time.

# What people bring
from .data.arrays import trials_from as trials_from
from .data.basics.csvs import read_results as read_results
from .data import datasets as datasets
from .data.demo import demo_study as demo_study
from .data.demo import demo_truth as demo_truth
from .data.codings import Coding as Coding
from .data.codings import DataError as DataError
from .data.reading.read_trials import exclusions as exclusions
from .data.reading.read_trials import read_trials as read_trials
from .data.trials import Category as Category
from .data.trials import Continuous as Continuous
from .data.trials import Integer as Integer
from .data.trials import Trials as Trials
from .data.trials import concatenate as concatenate

# Models, priors, simulation
from . import models as models
from . import priors as priors
from .models.model import Model as Model
from .models.model import Parameter as Parameter
from .priors.distributions import truncated as truncated
from .priors.independent import Prior as Prior
from .priors.joint import JointPrior as JointPrior
from .priors.joint import PriorError as PriorError
from .priors.joint import joint_prior_of as joint_prior_of
from .priors.text import prior_from_file as prior_from_file
from .priors.text import prior_from_text as prior_from_text
from .simulation.designs import Design as Design
from .simulation.nuisance import marginalised as marginalised
from .simulation.observed import ObservedDesign as ObservedDesign
from .simulation.observed import design_of as design_of
from .simulation.external import simulations_from as simulations_from
from .simulation.simulator import Simulations as Simulations
from .simulation.simulator import Simulator as Simulator

# Simulations in files
from .storage.atomic import FileError as FileError
from .storage.bank.bank import Bank as Bank
from .storage.bank.bank import open_bank as open_bank
from .storage.bank.bank import write_bank as write_bank
from .storage.bank.bank import write_chunk as write_chunk
from .storage.bank.upkeep import Verification as Verification
from .storage.bank.upkeep import merge_banks as merge_banks
from .storage.bank.upkeep import verify as verify
from .storage.parquet import export_simulations as export_simulations
from .storage.parquet import import_simulations as import_simulations

# Networks and training
from .networks import encoders as encoders
from .networks import flows as flows
from .networks.architecture import Architecture as Architecture
from .posterior.history import History as History
from .posterior.history import Stopped as Stopped
from .training.compare import compare as compare
from .training.comparison import Comparison as Comparison
from .training.comparison import load_comparison as load_comparison
from .training.recipe import Recipe as Recipe
from .training.train import TrainingError as TrainingError
from .training.train import refine as refine
from .training.train import train as train

# Posteriors
from .analysis import Fit as Fit
from .analysis import fit as fit
from .exact.likelihood import LikelihoodError as LikelihoodError
from .exact.likelihood import log_likelihood as log_likelihood
from .exact.model_frequencies import ModelFrequencies as ModelFrequencies
from .exact.model_frequencies import model_frequencies as model_frequencies
from .exact.reweight import reweight as reweight
from .exact import changes as changes
from .exact.variant_results import Variants as Variants
from .exact.variants import variants as variants
from .posterior.draws import Correction as Correction
from .posterior.draws import Draws as Draws
from .posterior.ensemble import Ensemble as Ensemble
from .posterior.parallel import over_people as over_people
from .posterior.posterior import Posterior as Posterior
from .posterior.posterior import load_posterior as load_posterior
from .posterior.pretrained import pretrained as pretrained
from .posterior.scope import ScopeError as ScopeError

# Is the network right?
from .checks.network.c2st import c2st as c2st
from .checks.network.calibration import Calibration as Calibration
from .checks.network.calibration import calibrate as calibrate
from .checks.network.neighbourhood import posterior_sbc as posterior_sbc
from .checks.network.diagnosis import Diagnosis as Diagnosis
from .checks.network.diagnosis import diagnose_training as diagnose_training
from .checks.network.recovery import Recovery as Recovery
from .checks.network.recovery import recover as recover

# Is the model right for these people?
from .checks.hygiene.findings import Hygiene as Hygiene
from .checks.hygiene.hygiene import hygiene as hygiene
from .checks.model.ranking import ExtensionRanking as ExtensionRanking
from .checks.model.extension import rank_extensions as rank_extensions
from .checks.model.panel import Panel as Panel
from .checks.model.panel import predictive_panel as predictive_panel
from .checks.model.predictive import Prediction as Prediction
from .checks.model.predictive import predict as predict
from .checks.model.which_variant import WhichVariant as WhichVariant
from .checks.model.which_variant import which_variant as which_variant
from .checks.prior.population import PriorCheck as PriorCheck
from .checks.prior.population import check_prior as check_prior
from .checks.prior.suggestion import Suggestion as Suggestion
from .checks.prior.suggestion import suggest_prior as suggest_prior
from .checks.scope.mmd_result import MmdTest as MmdTest
from .checks.scope.mmd import mmd_of_study as mmd_of_study
from .checks.scope.permutation import mmd_permutation_test as mmd_permutation_test
from .checks.scope.mmd import mmd_test as mmd_test
from .checks.scope.summary_dim import SummaryDim as SummaryDim
from .checks.scope.summary_space import SummarySpace as SummarySpace
from .checks.scope.summary_dim import suggest_summary_dim as suggest_summary_dim
from .checks.scope.summary_space import summary_space as summary_space
from .checks.scope.surprise import Surprise as Surprise
from .checks.scope.surprise import surprise as surprise
from .checks.verdict import Check as Check
from .checks.conclusions import Verdict as Verdict
from .checks.verdict import check as check

# What is shown
from . import plots as plots
from .report.content import Origin as Origin
from .report.files import write_check as write_check
from .report.page import write_report as write_report
