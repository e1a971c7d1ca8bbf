r"""Can a classifier tell two samples apart? The classifier two-sample test.

A network learns to say from which of two samples a point comes; its accuracy on points that it has
not learned from is 0.5 for equal distributions and 1 for distributions that do not overlap. It
cannot exceed 0.5 + 0.5 TV(p, q), the accuracy of the best classifier, with TV the total variation
distance, and reaches it as far as the network learns (Lopez-Paz & Oquab 2017; as a benchmark's
measure Lueckmann et al. 2021, AISTATS 130).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from incongruent.data.basics.streams import Purpose, word

Array = np.ndarray

WIDTH = 10
"""Units of each hidden layer, for each dimension."""
N_LAYERS = 2
MAX_EPOCHS = 1000
N_FOLDS = 5


def c2st(reference: Array, draws: Array, *, seed: int) -> float:
    """Accuracy of a classifier between two samples: 0.5 when it cannot tell them apart, 1 when it
    always can.

    Both samples are scaled by mean and SD of the reference. The classifier has two hidden layers of
    10 × dim units and is trained five times, each time without another fifth of the points, on
    which it is then judged. With n draws the standard error is about 0.5 / sqrt(2 n).

    Args:
        reference: draws from the distribution that is right, (draw, dim).
        draws: as many draws from the other, (draw, dim).
        seed: of the folds and the initial weights.

    Returns:
        The mean accuracy over the five folds.

    Raises:
        ImportError: without scikit-learn.
        ValueError: when the samples differ in shape, are smaller than 10, not finite, or the
            reference is constant in a dimension.

    Warns:
        UserWarning: when classifiers were still learning after 1000 epochs, so that the accuracy
            may be too low.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> c2st(rng.normal(0, 1, (100, 1)), rng.normal(20, 1, (100, 1)), seed=1)
        1.0
    """
    folds = _folds(seed)
    reference, draws = _checked(reference, draws)
    points = _standardised(np.concatenate([reference, draws]), reference)
    is_draw = np.repeat([0, 1], len(draws))
    judged = [
        _accuracy(points, is_draw, learned, held_out, word(seed, Purpose.C2ST_WEIGHTS, k))
        for k, (learned, held_out) in enumerate(folds.split(points))
    ]
    unfinished = sum(not finished for _, finished in judged)
    if unfinished:
        _warn_of_unfinished(unfinished)
    return float(np.mean([accuracy for accuracy, _ in judged]))


def _folds(seed: int) -> Any:
    """The folds of scikit-learn, which it splits points into."""
    try:
        from sklearn.model_selection import KFold
    except ImportError as error:
        raise ImportError(
            "Expected scikit-learn for c2st; it is not installed. Install it with: pip install"
            " scikit-learn"
        ) from error
    return KFold(N_FOLDS, shuffle=True, random_state=word(seed, Purpose.C2ST_FOLDS))


def _standardised(points: Array, reference: Array) -> Array:
    """Points (point, dim) in units of mean and SD of the reference, in single precision."""
    mean, sd = reference.mean(axis=0), reference.std(axis=0, ddof=1)
    return ((points - mean) / sd).astype(np.float32)


def _warn_of_unfinished(n: int) -> None:
    """Warn that so many classifiers were still learning."""
    warnings.warn(
        f"Expected classifiers that have learned all they can after {MAX_EPOCHS} epochs;"
        f" {n} of {N_FOLDS} had not, so the accuracy may be too low. Give more draws.",
        stacklevel=3,
    )


def _accuracy(
    points: Float[Array, "point dim"],
    is_draw: Int[Array, " point"],
    learned: Int[Array, " learned"],
    held_out: Int[Array, " held_out"],
    seed: int,
) -> tuple[float, bool]:
    """Accuracy on the points held out, and whether the loss had stopped falling before the last
    epoch.
    """
    network = _classifier(points.shape[1], seed)
    _fit_quietly(network, points[learned], is_draw[learned])
    right = network.predict(points[held_out]) == is_draw[held_out]
    return float(np.mean(right)), network.n_iter_ < MAX_EPOCHS


def _classifier(n_dimensions: int, seed: int) -> Any:
    """The classifier before it has learned anything."""
    from sklearn.neural_network import MLPClassifier

    layers = (WIDTH * n_dimensions,) * N_LAYERS
    return MLPClassifier(
        layers, activation="relu", solver="adam", max_iter=MAX_EPOCHS, random_state=seed
    )


def _fit_quietly(network: Any, points: Array, is_draw: Array) -> None:
    """Train a classifier in one thread, without its own warning.

    The matrices are so small that threads wait for each other; and `c2st` warns once for all folds.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(points, is_draw)


def _checked(reference: Array, draws: Array) -> tuple[Array, Array]:
    """Both samples as numbers; ValueError when they cannot be told apart by a classifier."""
    reference, draws = np.asarray(reference, float), np.asarray(draws, float)
    _check_shapes(reference, draws)
    _check_values(reference, draws)
    return reference, draws


def _check_shapes(reference: Array, draws: Array) -> None:
    """Refuse samples that differ in shape, or are small."""
    if reference.ndim != 2 or reference.shape != draws.shape or reference.size == 0:
        raise ValueError(
            f"Expected two samples of one shape (draw, dim); got {reference.shape} and"
            f" {draws.shape}. Take as many draws of each."
        )
    if len(reference) < 2 * N_FOLDS:
        raise ValueError(
            f"Expected at least {2 * N_FOLDS} draws of each; got {len(reference)}. Draw more."
        )


def _check_values(reference: Array, draws: Array) -> None:
    """Refuse samples that are not finite, and a reference that does not vary."""
    if not (np.isfinite(reference).all() and np.isfinite(draws).all()):
        raise ValueError(
            "Expected finite draws; got NaN or infinity. Leave such draws out, and say how many."
        )
    constant = np.flatnonzero(np.ptp(reference, axis=0) == 0)
    if len(constant):
        raise ValueError(
            "Expected a reference that varies in every dimension; got a constant in"
            f" {constant.tolist()}. Leave these dimensions out."
        )
