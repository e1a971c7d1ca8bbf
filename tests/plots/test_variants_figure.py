"""The figure of variants: what is drawn is what the record says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import incongruent as inc
from incongruent import plots
from incongruent.exact.variant_results import VariantFit
from incongruent.plots.variants import MOST, MOST_IN_ONE_COLUMN

DESIGN = inc.Design(80, {"congruent": 0.5, "incongruent": 0.5})
SIMULATOR = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), DESIGN)
NAMES = tuple(f"person {i}" for i in range(12))


def fitted(
    name: str,
    evidence: np.ndarray,
    *,
    names: tuple[str, ...] = NAMES,
    error: float = 0.1,
    widths: tuple[float, float] = (np.nan, np.nan),
    untrusted: tuple[int, ...] = (),
) -> VariantFit:
    """Everybody under one variant: log evidences (person,), and those at both widths as shifts."""
    n = len(names)
    trusted = ~np.isin(np.arange(n), untrusted)
    correction = inc.Correction(
        k_hat=np.full(n, 0.3),
        ess=np.full(n, 0.5),
        log_evidence=evidence,
        log_evidence_error=np.full(n, error),
        accurate=np.ones(n, bool),
        sampled_by=np.full(n, "network, reweighted", object),
        effective_draws=np.full(n, 500.0),
        trusted=trusted,
        mcmc_steps=np.zeros(n, int),
        autocorrelation_time=np.full(n, np.nan),
        log_likelihood=np.zeros((n, 25)),
    )
    theta = np.stack([SIMULATOR.prior.sample(25, seed=i) for i in range(n)])
    draws = inc.Draws(theta, np.zeros((n, 25)), SIMULATOR, names, correction=correction)
    return VariantFit(name, f"words of {name}", draws, np.stack([evidence + w for w in widths]))


def variants_of(
    names: tuple[str, ...] = NAMES, others: tuple[str, ...] = ("lapses", "SSP", "collapsing bound")
) -> inc.Variants:
    """Variants of which the first is better, the second cannot give the first person, some tie."""
    rng = np.random.default_rng(1)
    base = rng.normal(-1800.0, 50.0, len(names))
    fits = []
    for k, name in enumerate(others):
        evidence = base + rng.normal(4.0 - 3.0 * k, 2.0, len(names))
        if k == 1:
            evidence[0] = -np.inf
        fits.append(fitted(name, evidence, names=names, widths=(1.0, -0.5), untrusted=(1,)))
    return inc.Variants(fitted("as fitted", base, names=names), tuple(fits))


def axes() -> Axes:
    return Figure().subplots()


def rows_of(ax: Axes) -> dict[str, int]:
    return {label.get_text(): row for row, label in enumerate(ax.get_yticklabels())}


def marks_in(ax: Axes, row: int) -> np.ndarray:
    """Where the marks stand that belong to a row, from left to right."""
    found = [
        x
        for line in ax.lines
        if line.get_marker() not in ("None", "", None)
        for x, y in np.atleast_2d(line.get_xydata())
        if abs(y - row) < 0.5
    ]
    return np.sort(found)


def test_marks_are_differences_of_evidence_person_by_person():
    found = variants_of()
    ax = axes()
    assert plots.plot_variants(found, ax) is ax
    rows = rows_of(ax)
    assert list(rows) == found.summary()["variant"].tolist()
    own = np.sort(found["lapses"].log_evidence - found.base.log_evidence)
    np.testing.assert_allclose(marks_in(ax, rows["lapses"]), own)
    assert len(marks_in(ax, rows["as fitted"])) == 0
    # who cannot be had under a variant is an arrow at the rim
    arrows = [line for line in ax.lines if line.get_marker() == "<"]
    assert [line.get_ydata()[0].round() for line in arrows] == [rows["SSP"]]
    low, high = ax.get_xlim()
    assert arrows[0].get_xdata()[0] == low
    assert high == -low


def test_untrusted_evidence_is_hollow():
    ax = plots.plot_variants(variants_of(), axes())
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert sum(len(line.get_xdata()) for line in hollow) == 3  # one person in each of three


def test_sums_have_their_errors_their_numbers_and_other_widths():
    found = variants_of()
    ax = axes()
    assert plots.plot_variant_sums(found, ax) is ax
    table = found.summary().set_index("variant").loc["lapses"]
    row = rows_of(ax)["lapses"]
    np.testing.assert_allclose(marks_in(ax, row), [table["gain"]])
    lines = [line.get_xdata() for line in ax.lines if row in line.get_ydata()]
    ends = table["gain"] + 2.0 * table["gain_error"] * np.array([-1.0, 1.0])
    assert any(np.shape(x) == (2,) and np.allclose(x, ends) for x in lines)
    for width in ("half", "twice"):
        assert any(np.allclose(x, table[f"gain_at_{width}_width"]) for x in lines)
    numbers = [text.get_text() for text in ax.texts]
    assert numbers[row] == f"{table['gain']:+.1f}"
    assert numbers[rows_of(ax)["SSP"]] == "−∞"
    assert numbers[rows_of(ax)["as fitted"]] == "0"


def test_frequencies_are_those_of_the_record():
    found = variants_of()
    ax = axes()
    assert plots.plot_variant_frequencies(found, ax) is ax
    places = [found.names.index(name) for name in rows_of(ax)]
    dots, squares = ax.lines
    np.testing.assert_allclose(dots.get_xdata(), 100 * found.frequencies.frequencies[places])
    np.testing.assert_allclose(squares.get_xdata(), 100 * found.share_best[places])
    assert found.share_best.sum() == pytest.approx(1.0)


def test_the_band_ends_where_evidence_decides():
    for plot in (plots.plot_variants, plots.plot_variant_sums):
        band = plot(variants_of(), axes()).patches[0]
        assert (band.get_x(), band.get_width()) == (-3.0, 6.0)


def test_a_figure_of_many_variants_leaves_out_the_worst_and_says_so():
    found = variants_of(others=tuple(f"variant {k:02d}" for k in range(50)))
    for columns, most in ((2, MOST), (1, MOST_IN_ONE_COLUMN)):
        figure = plots.variants_figure(found, columns=columns)
        shown = list(rows_of(figure.axes[0]))
        assert len(shown) <= most
        assert "as fitted" in shown
        gains = found.summary().set_index("variant")["gain"]
        assert list(gains[shown]) == sorted(gains[shown], reverse=True)
        left_out = gains.drop(shown)
        assert left_out.max() <= gains[shown].drop("as fitted").min()
        said = " ".join(figure.get_supxlabel().split())
        assert f"{len(left_out)} variants with less evidence are not shown." in said


def test_differences_are_of_the_model_as_fitted():
    found = variants_of()
    assert found.differences.shape == (12, 4)
    assert not found.differences[:, 0].any()
    assert found.differences[0, 2] == -np.inf


def test_ticks_stay_apart_where_evidence_is_large():
    """On both axes, from the narrowest range to the widest."""
    for size in (1.0, 30.0, 900.0, 1e5):
        base = np.full(3, -900.0)
        other = fitted("other", base + size * np.array([-1.0, 0.1, 0.5]), names=NAMES[:3])
        found = inc.Variants(fitted("as fitted", base, names=NAMES[:3]), (other,))
        for plot in (plots.plot_variants, plots.plot_variant_sums):
            ax = plot(found, axes())
            ticks, (low, high) = ax.get_xticks(), ax.get_xlim()
            assert all(before < after for before, after in pairwise(ticks))
            assert low < ticks[0] < 0 < ticks[-1] < high
            assert ax.get_xlabel().endswith("(nats)")
            assert len(marks_in(ax, rows_of(ax)["other"])) >= 1


def test_other_numbers_of_columns_are_refused():
    with pytest.raises(ValueError, match="Expected one column or two of a journal; got 3"):
        plots.variants_figure(variants_of(), columns=3)
