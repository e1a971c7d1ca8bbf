"""Figures as papers print them: laws that hold for every one of them."""

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from itertools import combinations
from unittest import mock

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import incongruent as inc
from incongruent import plots
from incongruent.checks.model.panel import Panel
from incongruent.checks.model.predictive import Prediction, predict
from incongruent.checks.network.calibration import Calibration
from incongruent.checks.network.recovery import Recovery
from incongruent.checks.panel_statistics import statistics_for
from incongruent.checks.panel_values import panel_values
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.checks.scope.summary_space import SummarySpace
from incongruent.checks.scope.surprise import Surprise
from incongruent.checks.simultaneous import max_t
from incongruent.exact.changes import usual_changes
from incongruent.exact.variant_results import VariantFit
from incongruent.models.curves import mean_activation, rt_densities
from incongruent.plots import figure_svg, forest_figure, pairs_figure, save_figure
from incongruent.plots.style import (
    COLOURS,
    CONDITION_COLOUR,
    CONDITION_LINE,
    CONDITION_MARKER,
    FAINT,
    SMALLEST,
    new_figure,
    styled,
)
from incongruent.posterior.history import Evaluation, History, Stopped
from incongruent.priors.joint import JointPrior

MODEL = inc.models.dmc()
PRIOR = inc.priors.schaefer2025()
SIMULATOR = inc.Simulator(MODEL, PRIOR, inc.Design(80, {"congruent": 0.5, "incongruent": 0.5}))
HOSTILE = (
    "<script>alert(1)</script>",
    "$x$",
    "$\\frac{",
    "😀 \"quoted\" 'twice'",
    "x" * 1000,
    "_hidden",
    "two\nlines\x00",
    "日本語",
    '&amp; id="a"',
)
SVG = "{http://www.w3.org/2000/svg}"


def people(
    names: tuple[str, ...], *, n_draws: int = 200, flagged: tuple[int, ...] = ()
) -> inc.Draws:
    """Draws around values from the prior."""
    rng = np.random.default_rng(1)
    centre = PRIOR.sample(len(names), seed=1)
    theta = centre[:, None] * np.exp(0.1 * rng.standard_normal((len(names), n_draws, 6)))
    flags = tuple(("too few trials",) if i in flagged else () for i in range(len(names)))
    return inc.Draws(theta, np.zeros(theta.shape[:2]), SIMULATOR, names, flags)


def study(names: tuple[str, ...]) -> inc.Trials:
    trials = SIMULATOR.simulate(len(names), seed=2).trials
    return replace(trials, names=names)


@cache
def prediction(names: tuple[str, ...]) -> Prediction:
    return predict(people(names), study(names), n_replicates=20, seed=1)


def recovery() -> Recovery:
    rng = np.random.default_rng(3)
    truth = PRIOR.sample(80, seed=3)
    mean = truth * np.exp(0.2 * rng.standard_normal(truth.shape))
    return Recovery(
        truth,
        mean,
        rng.random(truth.shape),
        rng.random(truth.shape),
        np.zeros(80),
        rng.integers(20, 2000, 80),
        PRIOR.names,
    )


@cache
def calibration() -> Calibration:
    rng = np.random.default_rng(4)
    ranks = {
        name: rng.random(100)
        for name in (*PRIOR.names, "log q", "log likelihood", "TARP, prior", "TARP, near")
    } | {"A": rng.random(100) ** 3}
    nothing = np.full(100, np.nan)
    return Calibration(
        ranks,
        rng.standard_normal((100, 6)),
        rng.random((100, 6)),
        np.full(100, 80),
        PRIOR.names,
        False,
        nothing,
        nothing,
        200,
    )


def mmd() -> MmdTest:
    null = np.random.default_rng(5).gamma(4.0, 0.01, 999)
    return MmdTest(0.12, 0.004, null, 0.05, 0.2, 0.1, 0.1, 1.2, 0.3, 30, 1000, 1)


def surprise(names: tuple[str, ...]) -> Surprise:
    rng = np.random.default_rng(6)
    n = len(names)
    p = np.r_[np.full(min(3, n), 1.0 / 2001), rng.random(max(n - 3, 0))]
    adjusted = np.minimum(p * n, 1.0)
    return Surprise(
        names,
        p,
        adjusted,
        rng.random(n),
        p**0.5,
        rng.standard_normal((n, 2)),
        ("a", "b"),
        0.5,
        0.5,
        0.05,
        2000,
        1,
        1,
    )


def space(names: tuple[str, ...]) -> SummarySpace:
    rng = np.random.default_rng(7)
    points = {
        "simulated": rng.standard_normal((300, 5)),
        "published": 0.5 * rng.standard_normal((200, 5)),
    }
    points |= {name: 1.0 + 0.5 * rng.standard_normal((12, 5)) for name in names}
    return SummarySpace(
        points,
        np.array([0.5, 0.2, 0.1, 0.1, 0.1]),
        rng.uniform(-1, 1, (5, 6)),
        PRIOR.names,
        names,
        1,
    )


@cache
def panel(names: tuple[str, ...]) -> Panel:
    trials = study(names)
    known = statistics_for(trials)
    observed = panel_values(trials, known)
    noise = np.random.default_rng(8).standard_normal((100, *observed.shape))
    noise[0, :, 2] += 30.0  # far beyond the edge
    group = max_t(noise.mean(axis=1))
    usual = np.zeros_like(observed)
    return Panel(known, names, observed, observed * 1.02, group, max_t(noise), 99, usual, noise)


def history(turning: bool = False, stopped: Stopped | None = Stopped.BUDGET) -> History:
    """A run that ends at its best, or learns by heart from the middle on."""
    step = np.arange(1, 21)
    training = 9.0 - 4.0 * np.log(step) / np.log(20)
    validation = training + 0.2 + (0.2 * np.maximum(step - 8, 0) + 0.02 * step if turning else 0.0)
    looks = tuple(
        Evaluation(100 * s, 7.0 * s, t, v, v + 0.05, 1e-3, 3200 * s)
        for s, t, v in zip(step, training, validation, strict=True)
    )
    return History(looks, stopped, 9.5, 32, 100.0, 5.0)


def variants(*others: str, names: tuple[str, ...] = ("one", "two", "three")) -> inc.Variants:
    """Evidence of some people under variants, from very bad to very good."""
    rng = np.random.default_rng(9)
    base = rng.normal(-1800.0, 50.0, len(names))
    better = np.linspace(3.0, -600.0, len(others))
    evidence = [base, *(base + k + rng.normal(0.0, 2.0, len(names)) for k in better)]
    evidence[-1][0] = -np.inf
    fits = [
        VariantFit(
            name,
            name,
            replace(people(names), correction=correction(one)),
            one + np.array([[0.7], [-0.6]]),
        )
        for name, one in zip(("as fitted", *others), evidence, strict=True)
    ]
    return inc.Variants(fits[0], tuple(fits[1:]))


def correction(evidence: np.ndarray) -> inc.Correction:
    """Of people with these log evidences (person,), some of whom cannot be trusted."""
    ones, zeros = np.ones(len(evidence)), np.zeros(len(evidence))
    way = np.full(len(evidence), "network, reweighted", object)
    trusted, likelihood = np.arange(len(evidence)) % 3 > 0, np.zeros((len(evidence), 200))
    return inc.Correction(
        0.5 * ones,
        ones,
        evidence,
        0.1 * ones,
        ones > 0,
        way,
        ones,
        trusted,
        zeros,
        zeros,
        likelihood,
    )


USUAL = tuple(change.name for change in usual_changes(MODEL))
NAMES = tuple(f"person {i}" for i in range(12))
THETA = [20.0, 120.0, 0.55, 60.0, 340.0, 35.0]
CURVES = mean_activation(MODEL, THETA), rt_densities(MODEL, THETA)
WEAK = (
    mean_activation(MODEL, [40.0, 30.0, 0.1, 90.0, 340.0, 35.0]),
    rt_densities(MODEL, [40.0, 30.0, 0.1, 90.0, 340.0, 35.0]),
)
FIGURES = {
    "forest": lambda: forest_figure(people(NAMES, flagged=(2,)), sort_by="A"),
    "forest of one": lambda: forest_figure(people(("7",))),
    "forest of many": lambda: forest_figure(people(tuple(f"person {i}" for i in range(60)))),
    "pairs": lambda: pairs_figure(people(NAMES), 3, truth=THETA),
    "predictive": lambda: plots.predictive_figure(prediction(NAMES)),
    "predictive of one": lambda: plots.predictive_figure(prediction(NAMES), 4),
    "people": lambda: plots.people_figures(prediction(NAMES))[0],
    "recovery": lambda: plots.recovery_figure(recovery(), MODEL.parameters),
    "calibration": lambda: plots.calibration_figure(calibration()),
    "misspecification": lambda: plots.misspecification_figure(mmd(), surprise(NAMES)),
    "space": lambda: plots.space_figure(space(("a study", "another"))),
    "panel": lambda: plots.panel_figure(panel(NAMES)),
    "panel of one": lambda: plots.panel_figure(panel(NAMES), 1),
    "history": lambda: plots.history_figure(history()),
    "history that turned": lambda: plots.history_figure(
        history(turning=True, stopped=Stopped.NO_BETTER)
    ),
    "variants": lambda: plots.variants_figure(variants(*USUAL, names=NAMES)),
    "variants in one column": lambda: plots.variants_figure(variants(*USUAL), columns=1),
    "variants, two": lambda: plots.variants_figure(variants(*USUAL[:2])),
    "variants, two in one column": lambda: plots.variants_figure(variants(*USUAL[:2]), columns=1),
    "variants of one person": lambda: plots.variants_figure(variants(*USUAL, names=("one",))),
    "variants, many": lambda: plots.variants_figure(variants(*map(str, range(60)), names=NAMES)),
    "mechanism": lambda: plots.mechanism_figure(*CURVES),
    "mechanism of weak control": lambda: plots.mechanism_figure(*WEAK),
}
"""Every figure, also where it is hard."""
OF_NAMES = {
    "forest": lambda: forest_figure(people(HOSTILE)),
    "pairs": lambda: pairs_figure(people(HOSTILE), 1),
    "predictive": lambda: plots.predictive_figure(prediction(HOSTILE), 2),
    "people": lambda: plots.people_figures(prediction(HOSTILE))[0],
    "misspecification": lambda: plots.misspecification_figure(mmd(), surprise(HOSTILE)),
    "space": lambda: plots.space_figure(space(HOSTILE[:6])),
    "variants": lambda: plots.variants_figure(variants(*HOSTILE)),
}


def drawn_texts(figure: Figure) -> list[tuple[str, float, mpl.transforms.Bbox]]:
    """Every text that is really drawn: words, points, and place in pixels."""
    found, draw = [], Text.draw

    def noted(self, renderer, *args, **options):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_fontsize(), self.get_window_extent(renderer)))
        draw(self, renderer, *args, **options)

    with styled():
        FigureCanvasAgg(figure).draw()
        with mock.patch.object(Text, "draw", noted):
            figure.canvas.draw()
    return found


def crowded(
    figure: Figure, texts: list[tuple[str, float, mpl.transforms.Bbox]]
) -> list[tuple[str, ...]]:
    """Texts that reach out of the figure, and pairs that overlap; one pixel is forgiven."""
    width, height = figure.canvas.get_width_height()
    out = [
        ("outside", s)
        for s, _, b in texts
        if b.x0 < -1 or b.y0 < -1 or b.x1 > width + 1 or b.y1 > height + 1
    ]
    for (s, _, a), (t, _, b) in combinations(texts, 2):
        over = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if min(over) > 1.0:
            out.append(("overlap", s, t))
    return out


UNITS = re.compile(
    r"\((ms|s|%|nats|1/ms|1/s|share|z|share of variance|σ = 4/√ms|\d+%|0 rim, 1 centre of the"
    r" simulations)\)"
)
WITHOUT = re.compile(
    r"(true )?[Ab]|posterior mean|MMD²|density|conformal p|z-score, mean ± SD|RT bin, from fast to"
    r" slow"
)
"""Numbers without a unit, or counted in the words."""


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_inside_apart_and_large_enough_and_axes_have_units(name):
    figure = FIGURES[name]()
    texts = drawn_texts(figure)
    assert crowded(figure, texts) == []
    assert min(size for _, size, _ in texts) >= SMALLEST
    assert figure.get_figwidth() in (plots.ONE_COLUMN, plots.TWO_COLUMNS)
    assert figure.get_figheight() <= plots.PAGE_HEIGHT
    labels = [label for ax in figure.axes for label in (ax.get_xlabel(), ax.get_ylabel()) if label]
    for label in labels or [figure.get_supxlabel()]:
        assert UNITS.search(label) or WITHOUT.fullmatch(label), label


def test_crowding_would_be_seen():
    figure = Figure(figsize=(3, 2))
    for x, y in ((0.5, 0.5), (0.52, 0.5), (0.99, 0.2)):
        figure.text(x, y, "a label")
    assert crowded(figure, drawn_texts(figure)) == [
        ("outside", "a label"),
        ("overlap", "a label", "a label"),
    ]


def test_plots_give_back_the_ax_they_got():
    draws, foreseen = people(NAMES), prediction(NAMES)
    calls = [
        lambda ax: plots.plot_forest(draws, "tau", ax),
        lambda ax: plots.plot_pairs(draws, "A", "tau", ax, person=2),
        lambda ax: plots.plot_pairs(draws, "A", "A", ax, truth=THETA),
        lambda ax: plots.plot_activation(CURVES[0], ax),
        lambda ax: plots.plot_density(CURVES[1], ax),
        lambda ax: plots.plot_density(
            rt_densities(MODEL, THETA, levels=("congruent", "incongruent", "neutral")), ax
        ),
        lambda ax: plots.plot_history(history(), ax),
        lambda ax: plots.plot_recovery(recovery(), MODEL.parameters[0], ax),
        lambda ax: plots.plot_ranks(calibration(), "A", ax),
        lambda ax: plots.plot_coverage(calibration(), ax),
        lambda ax: plots.plot_z_scores(calibration(), ax),
        lambda ax: plots.plot_null(mmd(), ax),
        lambda ax: plots.plot_surprise(surprise(NAMES), ax),
        lambda ax: plots.plot_components(space(("a",)), 0, 1, ax),
        lambda ax: plots.plot_marginal(space(("a",)), 0, ax),
        lambda ax: plots.plot_panel(panel(NAMES), ax, 0),
        lambda ax: plots.plot_variants(variants(*USUAL), ax),
        lambda ax: plots.plot_variant_sums(variants(*USUAL), ax),
        lambda ax: plots.plot_variant_frequencies(variants(*USUAL), ax),
        *[
            lambda ax, plot=plot: plot(foreseen, ax)
            for plot in (
                plots.plot_distribution,
                plots.plot_accuracy,
                plots.plot_delta,
                plots.plot_errors,
            )
        ],
    ]
    for call in calls:
        with styled():
            ax = new_figure(1, 1, width=plots.ONE_COLUMN, height=2.4)[1][0]
            assert call(ax) is ax


@pytest.mark.parametrize("name", OF_NAMES)
def test_names_from_outside_are_drawn_as_they_are(name):
    """Without a warning, which pytest makes an error: no formula is set, no character is missing,
    no name is left out.
    """
    figure = OF_NAMES[name]()
    shown = " ".join(s for s, _, _ in drawn_texts(figure))
    assert "$" in shown
    assert "two\nlines" not in shown
    svg = figure_svg(figure, prefix="a-")
    assert "<script" not in svg
    # a name of 1000 characters is cut
    assert max(len(element.text or "") for element in ET.fromstring(svg).iter(f"{SVG}text")) <= 140
    if name in ("forest", "people", "space", "variants"):
        assert "<script>alert(1)" in shown
        assert "_hidden" in shown


# files


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_files_are_whole_and_their_bytes_are_those_of_the_picture(suffix, tmp_path):
    paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "two", "three")]
    figure = FIGURES["mechanism"]()
    save_figure(figure, paths[0])
    save_figure(figure, paths[1])
    with mpl.rc_context(
        {
            "svg.hashsalt": "another",
            "pdf.fonttype": 3,
            "savefig.dpi": 50,
            "svg.fonttype": "path",
            "font.family": "monospace",
        }
    ):
        save_figure(FIGURES["mechanism"](), paths[2])  # the user's own settings change nothing
    one, two, three = (path.read_bytes() for path in paths)
    assert one == two == three
    assert one.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix])
    assert str(time.gmtime().tm_year).encode() + b"-" not in one
    assert len(list(tmp_path.iterdir())) == 3


def test_text_stays_text_in_vector_files(tmp_path):
    for suffix in ("pdf", "svg"):
        save_figure(FIGURES["history"](), tmp_path / f"history.{suffix}")
    assert b"/Type3" not in (tmp_path / "history.pdf").read_bytes()
    assert "validation</text>" in (tmp_path / "history.svg").read_text()


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.PNG.tex"])
def test_other_formats_are_refused(name, tmp_path):
    with pytest.raises(
        ValueError,
        match=(
            r"Expected a name that ends in \.png, \.pdf or \.svg; got 'figure.*'\. Use \.pdf or"
            r" \.svg for a paper"
        ),
    ):
        save_figure(Figure(), tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_several_figures_share_a_page():
    one, two = (
        figure_svg(FIGURES["forest"](), prefix=prefix, description='People & "more"')
        for prefix in ("a-", "b-")
    )
    roots = [ET.fromstring(svg) for svg in (one, two)]
    ids = [
        [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        for root in roots
    ]
    assert not set(ids[0]) & set(ids[1])
    assert len(set(ids[0])) == len(ids[0])
    assert one.startswith("<svg")
    assert "<style" not in one  # it would rule the whole page
    assert "metadata" not in one
    for root, own in zip(roots, ids, strict=True):
        links = [
            value
            for element in root.iter()
            for name, value in element.attrib.items()
            if name.endswith("href")
        ]
        outwards = sorted({link for link in links if link.startswith("#person-")})
        assert outwards == sorted(f"#person-{i}" for i in range(12))
        inwards = set(links) - set(outwards) | {
            f"#{found}"
            for found in re.findall(r"url\(#([^)]+)\)", ET.tostring(root, encoding="unicode"))
        }
        assert inwards
        assert {link[1:] for link in inwards} <= set(own)
        assert (root.attrib["role"], root.attrib["aria-label"]) == ("group", 'People & "more"')


def test_a_prefix_that_is_no_id_is_refused():
    for prefix in ("", "1-", 'a" onload="', "a b"):
        with pytest.raises(
            ValueError,
            match="Expected a prefix of letters, digits, - and _, with a letter first; got",
        ):
            figure_svg(Figure(), prefix=prefix)


# single figures


def test_a_forest_of_150_people_is_quick_and_small():
    draws = people(tuple(f"person {i}" for i in range(150)), n_draws=500)
    before = time.perf_counter()
    svg = figure_svg(forest_figure(draws), prefix="forest-")
    assert time.perf_counter() - before < 6.0
    assert len(svg) < 1_000_000
    assert len(set(re.findall(r"#person-(\d+)", svg))) == 150


def test_a_sorted_forest_links_to_positions_in_the_draws():
    draws = people(NAMES)
    figure = forest_figure(draws, sort_by="tau")
    labels = [text for text in figure.axes[0].texts if text.get_url()]
    order = np.argsort(draws.means[:, 1], kind="stable")
    assert [text.get_url() for text in labels] == [f"#person-{i}" for i in order]
    assert [text.get_text() for text in labels] == [NAMES[i] for i in order]
    points = figure.axes[1].lines[-1].get_xdata()
    np.testing.assert_allclose(points, draws.means[order, 1])
    with pytest.raises(
        ValueError, match=r"Expected the name of a parameter, one of \('A', .*\); got 'alpha'"
    ):
        forest_figure(draws, sort_by="alpha")


def test_the_mean_of_people_has_its_own_interval():
    draws = people(NAMES)
    with styled():
        ax = plots.plot_forest(draws, "b", new_figure(1, 1, width=3, height=3)[1][0])
    low, high = np.quantile(draws.theta[:, :, 3].mean(axis=0), [0.05, 0.95])
    assert (ax.patches[0].get_x(), ax.patches[0].get_width()) == pytest.approx((low, high - low))
    with styled():
        alone = plots.plot_forest(draws.select([0]), "b", new_figure(1, 1, width=3, height=3)[1][0])
    assert not alone.patches


def test_history_tells_of_learning_by_heart():
    with styled():
        good, turned = (
            plots.plot_history(record, new_figure(1, 1, width=3, height=2)[1][0])
            for record in (history(), history(turning=True))
        )
    assert not good.patches
    (grey,) = turned.patches
    assert grey.get_x() == history(turning=True).best.seconds
    assert any(
        re.fullmatch(r"best \d\.\d\d, then \+\d\.\d\d", text.get_text()) for text in turned.texts
    )
    assert good.get_title(loc="left") == "Ended: the budget was used up"


def test_pairs_show_the_prior_also_where_only_its_draws_are_known():
    def ordered(n, rng):
        return np.sort(rng.uniform(1.5, 4.5, (n, 6)), axis=1) + np.repeat([0.0, 4.0], 3)

    joint = JointPrior(
        PRIOR.names,
        sample=ordered,
        low=dict.fromkeys(PRIOR.names, 1.0),
        high=dict.fromkeys(PRIOR.names, 9.0),
    )
    draws = replace(people(("one",)), simulator=inc.Simulator(MODEL, joint, SIMULATOR.design))
    with styled():
        ax = plots.plot_pairs(draws, "A", "A", new_figure(1, 1, width=2, height=2)[1][0])
    shades = [patch for patch in ax.patches if patch.get_facecolor()[:3] == to_rgb(FAINT)]
    assert len(shades) == 1
    heights, edges, _ = shades[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1.0)


def test_conditions_are_told_apart_in_grey():
    assert (
        len(set(CONDITION_MARKER.values()))
        == len({str(line) for line in CONDITION_LINE.values()})
        == 3
    )
    assert len({CONDITION_COLOUR[level] for level in CONDITION_COLOUR}) == 3


def test_lines_of_the_cycle_are_told_apart_in_grey():
    with styled():
        cycle = list(mpl.rcParams["axes.prop_cycle"])
    assert tuple(f"#{entry['color'].lstrip('#').upper()}" for entry in cycle) == COLOURS
    grey = [
        np.dot(
            to_rgb(entry["color"] if str(entry["color"]).startswith("#") else f"#{entry['color']}"),
            [0.2126, 0.7152, 0.0722],
        )
        for entry in cycle
    ]
    for i, j in combinations(range(len(cycle)), 2):
        assert (
            str(cycle[i]["linestyle"]) != str(cycle[j]["linestyle"])
            or abs(grey[i] - grey[j]) > 0.15
        )
    assert max(grey) < 0.65  # dark enough on white


def test_the_look_does_not_depend_on_the_users_own():
    with (
        mpl.rc_context({"axes.facecolor": "black", "text.color": "white", "font.size": 30}),
        styled(),
    ):
        assert (mpl.rcParams["axes.facecolor"], mpl.rcParams["font.size"]) == ("white", 7.5)
    assert mpl.rcParams["svg.hashsalt"] is None
