"""A methods section with this study's numbers, and its references, ready for a paper."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.model.panel import Panel
from incongruent.checks.record import Check
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.data.trials import Trials
from incongruent.exact.importance import largest_k_hat
from incongruent.exact.variant_results import Variants
from incongruent.models import BUILDERS, Model
from incongruent.posterior.draws import BY_ADAPTIVE, BY_MCMC, BY_NETWORK, Correction
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior
from incongruent.report.values import percent
from incongruent.report.variants import compared
from incongruent.simulation.designs import Design
from incongruent.simulation.nuisance import integrated_out

Array = np.ndarray

ANEW = {
    BY_ADAPTIVE: (
        "adaptive importance sampling on the exact likelihood (Cornuet et al., 2012; mixtures of"
        " multivariate t distributions, two starts)"
    ),
    BY_MCMC: "MCMC on the exact likelihood (emcee; Foreman-Mackey et al., 2013)",
}
"""How people were sampled for whom the network's draws do not serve."""
REFERENCES = {
    "Cornuet et al., 2012": (
        "Cornuet, J.-M., Marin, J.-M., Mira, A., & Robert, C. P. (2012). Adaptive multiple"
        " importance sampling. Scandinavian Journal of Statistics, 39, 798–812."
    ),
    "Dax et al., 2023": (
        "Dax, M., Green, S. R., Gair, J., Pürrer, M., Wildberger, J., Macke, J. H., Buonanno, A., &"
        " Schölkopf, B. (2023). Neural importance sampling for rapid and reliable"
        " gravitational-wave inference. Physical Review Letters, 130, 171403."
    ),
    "Foreman-Mackey et al., 2013": (
        "Foreman-Mackey, D., Hogg, D. W., Lang, D., & Goodman, J. (2013). emcee: The MCMC hammer."
        " Publications of the Astronomical Society of the Pacific, 125, 306–312."
    ),
    "Gretton et al., 2012": (
        "Gretton, A., Borgwardt, K. M., Rasch, M. J., Schölkopf, B., & Smola, A. (2012). A kernel"
        " two-sample test. Journal of Machine Learning Research, 13, 723–773."
    ),
    "Hübner et al., 2010": (
        "Hübner, R., Steinhauser, M., & Lehle, C. (2010). A dual-stage two-phase model of selective"
        " attention. Psychological Review, 117, 759–784."
    ),
    "Lee & Sewell, 2024": (
        "Lee, P.-S., & Sewell, D. K. (2024). A revised diffusion model for conflict tasks."
        " Psychonomic Bulletin & Review, 31, 1–31."
    ),
    "Radev et al., 2022": (
        "Radev, S. T., Mertens, U. K., Voss, A., Ardizzone, L., & Köthe, U. (2022). BayesFlow:"
        " Learning complex stochastic models with invertible neural networks. IEEE Transactions on"
        " Neural Networks and Learning Systems, 33, 1452–1466."
    ),
    "Richter et al., 2023": (
        "Richter, T., Ulrich, R., & Janczyk, M. (2023). Diffusion models with time-dependent"
        " parameters: An analysis of computational effort and accuracy of different numerical"
        " methods. Journal of Mathematical Psychology, 114, 102756."
    ),
    "Rigoux et al., 2014": (
        "Rigoux, L., Stephan, K. E., Friston, K. J., & Daunizeau, J. (2014). Bayesian model"
        " selection for group studies – revisited. NeuroImage, 84, 971–985."
    ),
    "Stephan et al., 2009": (
        "Stephan, K. E., Penny, W. D., Daunizeau, J., Moran, R. J., & Friston, K. J. (2009)."
        " Bayesian model selection for group studies. NeuroImage, 46, 1004–1017."
    ),
    "Talts et al., 2018": (
        "Talts, S., Betancourt, M., Simpson, D., Vehtari, A., & Gelman, A. (2018). Validating"
        " Bayesian inference algorithms with simulation-based calibration. arXiv:1804.06788."
    ),
    "Ulrich et al., 2015": (
        "Ulrich, R., Schröter, H., Leuthold, H., & Birngruber, T. (2015). Automatic and controlled"
        " stimulus processing in conflict tasks: Superimposed diffusion processes and delta"
        " functions. Cognitive Psychology, 78, 148–174."
    ),
    "Vehtari et al., 2024": (
        "Vehtari, A., Simpson, D., Gelman, A., Yao, Y., & Gabry, J. (2024). Pareto smoothed"
        " importance sampling. Journal of Machine Learning Research, 25(72), 1–58."
    ),
    "White et al., 2011": (
        "White, C. N., Ratcliff, R., & Starns, J. J. (2011). Diffusion models of the flanker task:"
        " Discrete versus gradual attentional selection. Cognitive Psychology, 63, 210–238."
    ),
}
"""By the words with which a paragraph cites them."""
MODELS = {
    "dmc": "the Diffusion Model for Conflict tasks (DMC; Ulrich et al., 2015)",
    "rdmc": "the revised Diffusion Model for Conflict tasks (RDMC; Lee & Sewell, 2024)",
    "ssp": "the shrinking-spotlight model (SSP; White et al., 2011)",
    "dstp": "the dual-stage two-phase model (DSTP; Hübner et al., 2010)",
}


def methods(
    posterior: Posterior | Ensemble,
    fit: Fit | None,
    check: Check | None,
    variants: Variants | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paragraphs, and the references that they cite, in alphabetical order."""
    calibrated, version = _calibration(posterior), metadata.version("incongruent")
    paragraphs = (
        _model_and_network(posterior),
        *((_data(posterior, fit), _posteriors(posterior, fit)) if fit is not None else ()),
        *((_checks(check),) if check is not None else ()),
        *((compared(variants),) if variants is not None else ()),
        *((calibrated,) if calibrated is not None else ()),
        f"All computations were done with incongruent {version}.",
    )
    return paragraphs, _references(" ".join(paragraphs))


def _references(text: str) -> tuple[str, ...]:
    """The references that a text cites."""
    return tuple(found for cited, found in REFERENCES.items() if _is_cited(cited, text))


def _is_cited(cited: str, text: str) -> bool:
    """Whether a text cites "Who et al., 2020", like this or as "Who et al. (2020)"."""
    who, _, year = cited.rpartition(", ")
    return cited in text or f"{who} ({year})" in text


def _model_and_network(posterior: Posterior | Ensemble) -> str:
    simulator = posterior.simulator
    words = [
        f"Parameters of {_named(simulator.model)} were estimated with amortized Bayesian inference"
        " (Radev et al., 2022).",
        *_variant(simulator.model),
        f"{_network(posterior)} gives the posterior of every person.",
        "The prior, as scipy.stats writes distributions, was"
        f" {_inner(simulator.prior)}{_units(simulator.model)}.",
        f"The network was trained for {_sizes(simulator.design)} trials a person.",
    ]
    return " ".join(words)


def _sizes(design: Design) -> str:
    """The fewest and the most trials of a design."""
    return _each(np.array([design.smallest, design.largest]))


def _network(posterior: Posterior | Ensemble) -> str:
    """What kind of network it is, and from how much it has learned."""
    network = _kind_of_network(posterior)
    if posterior.history is None:
        return network
    n_simulated = posterior.history.evaluations[-1].n_simulated
    return f"{network} that had learned from {n_simulated:,} simulated data sets"


def _kind_of_network(posterior: Posterior | Ensemble) -> str:
    if isinstance(posterior, Ensemble):
        return f"An ensemble of {len(posterior.members)} neural networks"
    return "A neural network"


def _units(model: Model) -> str:
    """Units of parameters in brackets; nothing where there are none."""
    units = ", ".join(f"{p.name} in {p.unit}" for p in model.parameters if p.unit)
    return f" ({units})" if units else ""


def _named(model: Model) -> str:
    return MODELS.get(
        model.name, f"the model {model.name}" + (f" ({model.reference})" if model.reference else "")
    )


def _variant(model: Model) -> list[str]:
    """How a model that ships differs from the standard one, and what is integrated out."""
    if model.name not in BUILDERS:
        return []
    return [*_other_settings(model), *_nuisance(model)]


def _nuisance(model: Model) -> list[str]:
    """What is integrated out; nothing where all parameters are estimated."""
    nuisance = integrated_out(model)
    if not nuisance:
        return []
    return [f"Integrated out, from its assumed distribution, was {_inner(Prior(**nuisance))}."]


def _other_settings(model: Model) -> list[str]:
    """Settings of a model that ships which are not the standard ones; nothing where all are."""
    standard = BUILDERS[model.name]().settings
    both = [(name, value) for name, value in model.settings.items() if name in standard]
    changed = [f"{name} {value}" for name, value in both if value != standard[name]]
    if not changed:
        return []
    return [f"The model's settings differ from the standard ones: {'; '.join(changed)}."]


def _inner(prior: AnyPrior) -> str:
    """What stands between the brackets of Prior(…); another kind of prior as it is."""
    written = repr(prior)
    is_plain = written.startswith("Prior(")
    return written.removeprefix("Prior(").removesuffix(")") if is_plain else written


def _data(posterior: Posterior | Ensemble, fit: Fit) -> str:
    n = fit.study.n_trials[fit.study.n_trials > 0]
    used = f"The data were {int(n.sum())} trials of {len(n)} people ({_each(n)} each)."
    window = _window(posterior.simulator.design)
    return " ".join([used, *_left_out(fit.study), *window, *fit.recorded_as])


def _window(design: Design) -> list[str]:
    """Between which reaction times trials were used; nothing where all were."""
    if not design.window:
        return []
    shortest, longest = design.window
    return [f"Reaction times between {shortest:g} and {longest:g} ms were used."]


def _left_out(study: Trials) -> list[str]:
    """How many trials were left out and why; nothing where all were used."""
    counts = {reason: int(each.sum()) for reason, each in study.excluded.items() if each.sum()}
    if not counts:
        return []
    share = sum(counts.values()) / _all_trials(study)
    listed = ", ".join(f"{reason} {count}" for reason, count in counts.items())
    return [f"Left out were {percent(share)} of all trials ({listed})."]


def _all_trials(study: Trials) -> int:
    """How many trials there are, used or left out."""
    return int(study.n_trials.sum() + study.n_excluded.sum())


def _each(n: Array) -> str:
    return f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"


def _posteriors(posterior: Posterior | Ensemble, fit: Fit) -> str:
    draws = fit.draws
    n = draws.theta.shape[1]
    if draws.correction is None:
        return (
            f"Each posterior consists of {n} draws, as the network gives them; the model has no"
            " exact likelihood by which they could be corrected."
        )
    words = _sampled(draws.correction, n, _how(posterior.simulator.model))
    words += _other_prior(draws.simulator.prior, posterior.simulator.prior)
    return " ".join([*words, "People were fitted independently of each other."])


def _other_prior(prior: AnyPrior, trained_with: AnyPrior) -> list[str]:
    """The prior of the posteriors; nothing where it is that of the training."""
    return [f"Posteriors are those under the prior {prior!r}."] if prior != trained_with else []


def _how(model: Model) -> str:
    forward = (
        ", computed from the forward equation (cf. Richter et al., 2023)"
        if model.name in MODELS
        else ""
    )
    return f"the model's exact likelihood{forward}"


def _sampled(correction: Correction, n_draws: int, likelihood: str) -> list[str]:
    """How many people have weighted draws, how well that went, and how many have MCMC draws."""
    by_network = correction.is_by(BY_NETWORK)
    if correction.is_by(BY_MCMC).all():
        return [
            f"Everybody's posterior, {n_draws} draws, was sampled by MCMC (emcee; Foreman-Mackey et"
            f" al., 2013) on {likelihood}."
        ]
    return [
        f"Each person's {n_draws} draws were corrected by importance weights (Dax et al., 2023),"
        f" smoothed after Vehtari et al. (2024), with {likelihood}.",
        *_of_weighted(correction, by_network, n_draws),
        *_sampled_anew(correction),
    ]


def _of_weighted(correction: Correction, by_network: Array, n_draws: int) -> list[str]:
    """How good the weighted draws of the network are; nothing where nobody has them."""
    if not by_network.any():
        return []
    whose = "these people" if by_network.all() else "the other people"
    return [
        _effective(correction.ess[by_network], whose),
        _reliability(correction.k_hat[by_network], largest_k_hat(n_draws)),
    ]


def _sampled_anew(correction: Correction) -> list[str]:
    """How many people were sampled anew in which way; nothing where nobody was."""
    return [
        f"{n} {'person was' if n == 1 else 'people were'} sampled by {words} instead."
        for way, words in ANEW.items()
        if (n := int(correction.is_by(way).sum()))
    ]


def _effective(ess: Array, whose: str) -> str:
    """Effective shares of the draws of some people."""
    return (
        f"The median effective share of {whose}'s draws was {percent(float(np.median(ess)), 0)}"
        f" (lowest {percent(float(ess.min()), 0)});"
    )


def _reliability(k_hat: Array, limit: float) -> str:
    """How far the weights of some people can be trusted."""
    n_beyond = int((~(k_hat <= limit)).sum())
    beyond = f"; {n_beyond} exceeded it, whose posteriors are not to be trusted" if n_beyond else ""
    return f"{_largest(k_hat[np.isfinite(k_hat)], limit)}{beyond}."


def _largest(k_hat: Array, limit: float) -> str:
    """The largest of some k-hats, and up to where it is acceptable."""
    if not len(k_hat):
        return f"k-hat of {limit:.2f} is acceptable"
    return f"the largest k-hat was {k_hat.max():.2f}, where {limit:.2f} is acceptable"


def _checks(check: Check) -> str:
    return " ".join(
        [
            f"Of {len(check.scope)} people {len(check.outside)} lay outside what the model"
            f" simulates under the prior (false discovery rate {check.scope.alpha:.0%}).",
            _group_comparison(check.mmd),
            _panel(check.panel),
            f"The verdict on model and prior was “{check.decision.name}”.",
        ]
    )


def _group_comparison(mmd: MmdTest) -> str:
    people = "person was" if mmd.n_people == 1 else "people were"
    return (
        f"{mmd.n_people} {people} compared as a group with simulations of the same designs, in the"
        f" network's summaries (MMD² {mmd.statistic:.3g}, p = {mmd.p_value:.2g}; Gretton et al.,"
        " 2012)."
    )


def _panel(panel: Panel) -> str:
    """Which statistics of the group the model fails to predict."""
    failing = panel.failing()
    missed = f"{len(failing)} ({', '.join(failing)})" if failing else "none"
    return (
        f"Of {len(panel.statistics)} statistics of the group, adjusted for their number, the fitted"
        f" model failed to predict {missed}."
    )


def _calibration(posterior: Posterior | Ensemble) -> str | None:
    """How good the network is according to its own notes; None where it was not measured."""
    card = posterior.notes.get("quality")
    if not card:
        return None
    calibration = card.get("calibration")
    ranks = f"; {_uniform_ranks(calibration)}" if calibration else ""
    return f"{_coverage(card)}{ranks}."


def _coverage(card: Mapping[str, Any]) -> str:
    """How often intervals held the truth."""
    coverage = [row["coverage_90"] for row in card["overall"]]
    return (
        f"On {card['n_datasets']} fresh simulated data sets, the network's 90 % intervals held the"
        f" true values in {percent(min(coverage))} to {percent(max(coverage))} of cases, parameter"
        " by parameter"
    )


def _uniform_ranks(calibration: Mapping[str, Any]) -> str:
    """What simulation-based calibration found."""
    lowest = min(row["p"] for row in calibration["overall"])
    return (
        "in simulation-based calibration (Talts et al., 2018) of the corrected draws,"
        f" {calibration['n_datasets']} data sets, the lowest p of uniform ranks among"
        f" {len(calibration['overall'])} quantities was {lowest:.2f}"
    )
