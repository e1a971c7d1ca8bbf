"""A methods paragraph with this study's numbers, and the references that it cites, ready to paste into a paper."""

from __future__ import annotations

from importlib import metadata

import numpy as np

from incongruent.checks.verdict import Check
from incongruent.designs import Design
from incongruent.fitting import Fit
from incongruent.importance import largest_k_hat
from incongruent.posterior import Posterior
from incongruent.report.content import percent

Array = np.ndarray

REFERENCES = {
    "Dax et al., 2023": (
        "Dax, M., Green, S. R., Gair, J., Pürrer, M., Wildberger, J., Macke, J. H., Buonanno, A., & Schölkopf, B. (2023). Neural importance"
        " sampling for rapid and reliable gravitational-wave inference. Physical Review Letters, 130, 171403."
    ),
    "Foreman-Mackey et al., 2013": (
        "Foreman-Mackey, D., Hogg, D. W., Lang, D., & Goodman, J. (2013). emcee: The MCMC hammer. Publications of the Astronomical Society "
        "of the Pacific, 125, 306–312."
    ),
    "Gretton et al., 2012": (
        "Gretton, A., Borgwardt, K. M., Rasch, M. J., Schölkopf, B., & Smola, A. (2012). A kernel two-sample test. Journal of Machine "
        "Learning Research, 13, 723–773."
    ),
    "Hübner et al., 2010": (
        "Hübner, R., Steinhauser, M., & Lehle, C. (2010). A dual-stage two-phase model of selective attention. Psychological Review, 117, 759–784."
    ),
    "Radev et al., 2022": (
        "Radev, S. T., Mertens, U. K., Voss, A., Ardizzone, L., & Köthe, U. (2022). BayesFlow: Learning complex stochastic models with "
        "invertible neural networks. IEEE Transactions on Neural Networks and Learning Systems, 33, 1452–1466."
    ),
    "Richter et al., 2023": (
        "Richter, T., Ulrich, R., & Janczyk, M. (2023). Diffusion models with time-dependent parameters: An analysis of computational "
        "effort and accuracy of different numerical methods. Journal of Mathematical Psychology, 114, 102756."
    ),
    "Talts et al., 2018": (
        "Talts, S., Betancourt, M., Simpson, D., Vehtari, A., & Gelman, A. (2018). Validating Bayesian inference algorithms with "
        "simulation-based calibration. arXiv:1804.06788."
    ),
    "Ulrich et al., 2015": (
        "Ulrich, R., Schröter, H., Leuthold, H., & Birngruber, T. (2015). Automatic and controlled stimulus processing in conflict tasks: "
        "Superimposed diffusion processes and delta functions. Cognitive Psychology, 78, 148–174."
    ),
    "Vehtari et al., 2024": (
        "Vehtari, A., Simpson, D., Gelman, A., Yao, Y., & Gabry, J. (2024). Pareto smoothed importance sampling. Journal of Machine "
        "Learning Research, 25(72), 1–58."
    ),
    "White et al., 2011": (
        "White, C. N., Ratcliff, R., & Starns, J. J. (2011). Diffusion models of the flanker task: Discrete versus gradual attentional "
        "selection. Cognitive Psychology, 63, 210–238."
    ),
}
"""By the words with which a paragraph cites them."""
MODELS = {
    "dmc": "the Diffusion Model for Conflict tasks (DMC; Ulrich et al., 2015)",
    "ssp": "the shrinking-spotlight model (SSP; White et al., 2011)",
    "dstp": "the dual-stage two-phase model (DSTP; Hübner et al., 2010)",
}


def methods(posterior: Posterior, fit: Fit | None, check: Check | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paragraphs, and the references that they cite, in alphabetical order."""
    paragraphs = [_model_and_network(posterior)]
    if fit is not None:
        paragraphs += [_data(fit), _posteriors(posterior, fit)]
    if check is not None:
        paragraphs.append(_checks(check))
    calibrated = _calibration(posterior)
    paragraphs += [calibrated] if calibrated else []
    paragraphs.append(f"All computations were done with incongruent {metadata.version('incongruent')}.")
    said = " ".join(paragraphs)
    return tuple(paragraphs), tuple(reference for cited, reference in REFERENCES.items() if _is_cited(cited, said))


def _is_cited(cited: str, said: str) -> bool:
    """Whether a text cites "Who et al., 2020", like this or as "Who et al. (2020)"."""
    who, _, year = cited.rpartition(", ")
    return cited in said or f"{who} ({year})" in said


def _model_and_network(posterior: Posterior) -> str:
    model, history = posterior.simulator.model, posterior.history
    named = MODELS.get(model.name, f"the model {model.name}" + (f" ({model.reference})" if model.reference else ""))
    words = [f"Parameters of {named} were estimated with amortized Bayesian inference (Radev et al., 2022)."]
    learned = (
        "A neural network"
        if history is None
        else f"A neural network that had learned from {history.evaluations[-1].n_simulated:,} simulated data sets"
    )
    words.append(f"{learned} gives the posterior of every person. The prior was {_prior(posterior)}.")
    design = posterior.simulator.design
    if isinstance(design, Design):
        words.append(f"It was trained for {design.smallest} to {design.largest} trials a person.")
    return " ".join(words)


def _prior(posterior: Posterior) -> str:
    return repr(posterior.simulator.prior).removeprefix("Prior(").removesuffix(")")


def _data(fit: Fit) -> str:
    study = fit.study
    n = study.n_trials[study.n_trials > 0]
    words = f"The data were {int(n.sum())} trials of {len(n)} people ({_each(n)} each)."
    counted = {reason: int(counts.sum()) for reason, counts in study.excluded.items() if counts.sum()}
    total = int(study.n_trials.sum() + study.n_excluded.sum())
    if counted:
        listed = ", ".join(f"{reason} {count}" for reason, count in counted.items())
        words += f" Left out were {percent(sum(counted.values()) / total)} of all trials ({listed})."
    window = fit.draws.simulator.design.window
    return words + (f" Reaction times between {window[0]:g} and {window[1]:g} ms were used." if window else "")


def _each(n: Array) -> str:
    return f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"


def _posteriors(posterior: Posterior, fit: Fit) -> str:
    draws, correction = fit.draws, fit.draws.correction
    n = draws.theta.shape[1]
    if correction is None:
        return f"Each posterior consists of {n} draws, as the network gives them; the model has no exact likelihood by which they could be corrected."
    words = [f"Each person's {n} draws were corrected by importance weights (Dax et al., 2023), smoothed after Vehtari et al. (2024),"]
    how = ", computed from the forward equation (cf. Richter et al., 2023)" if posterior.simulator.model.name in MODELS else ""
    words.append(f"with the model's exact likelihood{how}.")
    others = "these people" if not correction.mcmc.any() else "the other people"
    if (~correction.mcmc).any():
        ess, k_hat = correction.ess[~correction.mcmc], correction.k_hat[~correction.mcmc]
        words.append(f"The median effective share of {others}'s draws was {percent(float(np.median(ess)), 0)}")
        words.append(f"(lowest {percent(float(ess.min()), 0)}); the largest k-hat was {k_hat.max():.2f}, where {largest_k_hat(n):.2f} is acceptable.")
    if correction.mcmc.any():
        people = "person was" if correction.mcmc.sum() == 1 else "people were"
        words.append(f"{int(correction.mcmc.sum())} {people} sampled by MCMC on the exact likelihood instead (emcee; Foreman-Mackey et al., 2013).")
    if draws.simulator.prior != posterior.simulator.prior:
        words.append(f"Posteriors are those under the prior {draws.simulator.prior!r}.")
    return " ".join([*words, "People were fitted independently of each other."])


def _checks(check: Check) -> str:
    outside, failing = len(check.outside), check.panel.failing()
    words = [
        f"Whether model and prior suit the data was asked in five steps. {outside} of {len(check.scope)} people lay outside what the model simulates."
    ]
    words.append(f"As a group they were compared with simulations of the same designs in the network's summaries (MMD² {check.mmd.statistic:.3g},")
    words.append(f"p = {check.mmd.p_value:.2g}; Gretton et al., 2012).")
    missed = f"{len(failing)} ({', '.join(failing)})" if failing else "none"
    words.append(f"Of {len(check.panel.statistics)} statistics of the data, adjusted for their number, the fitted model failed to predict {missed}.")
    return " ".join(words) + f" The verdict was “{check.verdict.value}”."


def _calibration(posterior: Posterior) -> str | None:
    card = posterior.notes.get("quality")
    if not card:
        return None
    worst = min(card["overall"], key=lambda row: row["coverage_90"])
    best = max(card["overall"], key=lambda row: row["coverage_90"])
    words = f"On {card['n_datasets']} fresh simulated data sets, the network's 90 % intervals held the true values in "
    words += f"{percent(worst['coverage_90'])} to {percent(best['coverage_90'])} of cases, parameter by parameter"
    calibration = card.get("calibration")
    if not calibration:
        return words + "."
    lowest = min(row["p"] for row in calibration["overall"])
    return words + (
        f"; in simulation-based calibration (Talts et al., 2018) of the corrected draws, {calibration['n_datasets']} data sets, the lowest p of "
        f"uniform ranks among {len(calibration['overall'])} quantities was {lowest:.2f}."
    )
