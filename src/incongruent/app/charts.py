"""Charts of the model's curves over a study, as options for ECharts.

Numbers come in, and nothing is computed here.
Every chart has fixed series; `curves_data` and `observed_data` give only what they show, so that a
moved slider sends numbers and no styles. Congruent is blue and solid, incongruent orange and
dashed, so that both can be told apart in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from incongruent.app.observed import Observed
from incongruent.models.implied import LEVELS, N_BINS, Curves
from incongruent.plots.style import CONDITION_COLOUR, INK

Array = np.ndarray
Options = dict[str, Any]

CONGRUENT, INCONGRUENT = CONDITION_COLOUR["congruent"], CONDITION_COLOUR["incongruent"]
GREY = "#767676"
DRAWN = 0.997
"""Share of the answers that the axis of reaction times has to show."""
UNNAMED = ("lower bound", ", automatic", ", data")
"""Ends of the names of series that the legend leaves out, since their colour and dash are those of
another one.
"""
MOST_POINTS = 240
"""Of a curve, enough for any screen."""

CHARTS = ("activation", "drift", "correct", "error", "delta", "accuracy")
SIDES = ("correct", "error")
"""Charts of densities, in the order of the answers."""
TITLES = {
    "activation": "Activation (thin: its automatic part)",
    "drift": "Drift",
    "correct": "Correct answers",
    "error": "Errors",
    "delta": "Delta function",
    "accuracy": "Conditional accuracy",
}


def line(name: str, colour: str, dash: str = "solid", width: float = 2.0) -> Options:
    """A curve of the model."""
    style = {"color": colour, "type": dash, "width": width}
    return {
        "type": "line",
        "id": name,
        "name": name,
        "symbol": "none",
        "lineStyle": style,
        "itemStyle": {"color": colour},
        "data": [],
        "z": 3,
    }


def area(name: str, colour: str, dash: str) -> Options:
    """A histogram of data."""
    style = {"color": colour, "type": dash, "width": 1, "opacity": 0.55}
    return line(name, colour) | {
        "step": "end",
        "lineStyle": style,
        "areaStyle": {"color": colour, "opacity": 0.14},
        "z": 2,
    }


def points(name: str, colour: str, symbol: str) -> Options:
    """Points of data."""
    look = {
        "symbol": symbol,
        "symbolSize": 8,
        "symbolKeepAspect": True,
        "itemStyle": {"color": colour},
    }
    return {"type": "scatter", "id": name, "name": name, **look, "data": [], "z": 4}


def pair(kind: Any, suffix: str, *styles: Sequence[str]) -> list[Options]:
    """The same for congruent and incongruent trials."""
    named = zip(("congruent", "incongruent"), (CONGRUENT, INCONGRUENT), strict=True)
    return [
        kind(f"{name}{suffix}", colour, *(style[i] for style in styles))
        for i, (name, colour) in enumerate(named)
    ]


DIAMOND = "path://M0,5 L5,0 L10,5 L5,10 Z"
DASHES, SYMBOLS = ("solid", "dashed"), ("circle", "rect")
SERIES: dict[str, list[Options]] = {
    "activation": [
        *pair(line, "", DASHES),
        *[
            one | {"lineStyle": {**one["lineStyle"], "width": 1.2}}
            for one in pair(line, ", automatic", DASHES)
        ],
        line("controlled", GREY, "dotted"),
        line("bounds", INK, "solid", 1.0),
        line("lower bound", INK, "solid", 1.0),
    ],
    "drift": pair(line, "", DASHES),
    "correct": [*pair(line, "", DASHES), *pair(area, ", data", DASHES)],
    "error": [*pair(line, "", DASHES), *pair(area, ", data", DASHES)],
    "delta": [line("model", INK), points("data", INK, "diamond")],
    "accuracy": [*pair(line, "", DASHES), *pair(points, ", data", SYMBOLS)],
}
TEXT = {"color": INK, "fontSize": 12}
AXIS = {
    "type": "value",
    "nameLocation": "middle",
    "nameTextStyle": TEXT,
    "axisLabel": {"color": INK, "hideOverlap": True},
}
LEGEND = {"top": 0, "left": 0, "itemWidth": 26, "itemHeight": 8, "textStyle": TEXT}
TOOLTIP = {
    "trigger": "axis",
    "confine": True,
    "axisPointer": {"type": "line"},
    "order": "seriesAsc",
}
AXES = {
    "activation": ("time since the decision began (ms)", "activation"),
    "drift": ("time since the decision began (ms)", "drift (1/ms)"),
    "correct": ("reaction time (ms)", "density (1/s)"),
    "error": ("reaction time (ms)", "density (1/s)"),
    "delta": ("mean RT of the quantile (ms)", "incongruent − congruent (ms)"),
    "accuracy": ("fifth of the answers, from fast to slow", "share correct"),
}


def in_words(curves: Curves) -> dict[str, str]:
    """What each chart shows, for those who do not see it: its axes and its main numbers."""
    return {
        chart: f"{TITLES[chart]}. {AXES[chart][1]} over {AXES[chart][0]}. Model: {words}."
        for chart, words in _main_numbers(curves).items()
    }


def _main_numbers(curves: Curves) -> dict[str, str]:
    return {
        "activation": _heights_in_words(curves),
        "drift": _ends_in_words(curves.drift, "{:.2f} at first", "{:.2f} in the end"),
        "correct": _of_both("{:.0f} ms on average", curves.mean_rt),
        "error": _of_both("{:.1%} of the answers", curves.errors),
        "delta": _effects_in_words(curves),
        "accuracy": _ends_in_words(
            curves.accuracy, "{:.0%} in the fastest fifth", "{:.0%} in the slowest"
        ),
    }


def _heights_in_words(curves: Curves) -> str:
    highest = np.abs(curves.automatic).max()
    return f"bounds at ±{curves.bound:.0f}; the automatic part is at most {highest:.0f}"


def _ends_in_words(rows: Array, first: str, last: str) -> str:
    """The first and the last value of both conditions (condition, …)."""
    return f"{_of_both(first, rows[:, 0])}; {_of_both(last, rows[:, -1])}"


def _effects_in_words(curves: Curves) -> str:
    """The effect at the first and at the last quantile."""
    ends = zip(curves.delta[[0, -1]], curves.delta_at[[0, -1]], strict=True)
    return f"from {' to '.join(f'{effect:.0f} ms at {at:.0f} ms' for effect, at in ends)}"


def _of_both(words: str, values: Array) -> str:
    return ", ".join(
        f"{name} {words.format(float(value))}" for name, value in zip(LEVELS, values, strict=True)
    )


def options(chart: str) -> Options:
    """Everything about a chart but its numbers."""
    legend = [_key(entry) for entry in SERIES[chart] if not entry["name"].endswith(UNNAMED)]
    return {
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "grid": _grid(chart),
        "legend": {**LEGEND, "data": legend},
        "tooltip": TOOLTIP,
        "xAxis": _x_axis(chart),
        "yAxis": _y_axis(chart),
        "series": SERIES[chart],
    }


def _grid(chart: str) -> Options:
    """Room around a chart in pixels; the legend of the activation has two lines."""
    return {"left": 58, "right": 14, "top": 34 if chart != "activation" else 52, "bottom": 40}


def _x_axis(chart: str) -> Options:
    axis = {
        **AXIS,
        "name": AXES[chart][0],
        "nameGap": 26,
        "splitLine": {"show": False},
        "axisLine": {"onZero": False, "lineStyle": {"color": GREY}},
        "scale": chart == "delta",
    }
    return axis | (_categories(N_BINS) if chart == "accuracy" else {})


def _categories(n: int) -> Options:
    """Places that are counted from 1, instead of numbers."""
    return {"type": "category", "data": [str(i + 1) for i in range(n)]}


def _y_axis(chart: str) -> Options:
    axis = {
        **AXIS,
        "name": AXES[chart][1],
        "nameGap": 42,
        "scale": chart == "accuracy",
        "splitLine": {"lineStyle": {"color": "#ececec"}},
    }
    return {**axis, "max": 1} if chart == "accuracy" else axis


def _key(series: Options) -> Options:
    """A series in the legend: a line as it is drawn, without a symbol, or the symbol of points."""
    return {
        "name": series["name"],
        **({"itemStyle": {"opacity": 0}} if series["type"] == "line" else {"icon": DIAMOND}),
    }


def curves_data(curves: Curves, data: tuple[float, float] | None = None) -> dict[str, Options]:
    """What each chart shows of the model.

    Args:
        curves: of the model.
        data: the first and the last reaction time of data in ms, over which axes reach too.
    """
    end = _rounded(max(_span(curves)[1] - curves.rt[0], 200.0), 50)
    shares = [_rounded_shares(condition) for condition in curves.accuracy]
    return {
        "activation": _activation_data(curves, end),
        "drift": _drift_data(curves, end),
        "delta": _series("delta", [_xy(curves.delta_at, curves.delta, 1)]),
        "accuracy": _series("accuracy", shares),
        **_density_data(curves, _span(curves, data)),
    }


def _rounded_shares(shares: Array) -> list[float]:
    return [round(float(share), 4) for share in shares]


def _activation_data(curves: Curves, end: float) -> Options:
    """Mean paths, their parts, and the bounds, up to a time."""
    reach = _rounded(1.35 * curves.bound)
    axes = {"yAxis": {"min": -reach, "max": reach}, "xAxis": {"max": end}}
    return _series("activation", [*_paths(curves, end), *_bounds(curves, end)]) | axes


def _paths(curves: Curves, end: float) -> list[list[Any]]:
    """Mean paths of both conditions, and their parts."""
    is_shown = curves.time <= end
    time = curves.time[is_shown]
    return [
        *_both(time, curves.activation[:, is_shown]),
        *_both(time, curves.automatic[:, is_shown]),
        _xy(time, curves.controlled[is_shown]),
    ]


def _bounds(curves: Curves, end: float) -> list[list[Any]]:
    """The upper and the lower bound."""
    time = curves.time[curves.time <= end]
    bound = np.full(len(time), curves.bound)
    return [_xy(time, bound), _xy(time, -bound)]


def _drift_data(curves: Curves, end: float) -> Options:
    is_shown = curves.drift_time <= end
    rows = _both(curves.drift_time[is_shown], curves.drift[:, is_shown], 4)
    return _series("drift", rows) | {"xAxis": {"max": end}}


def _density_data(curves: Curves, span: tuple[float, float]) -> dict[str, Options]:
    """Densities of correct answers and of errors, between two reaction times."""
    first, last = span
    axes = {"xAxis": {"min": first, "max": last}}
    return {
        chart: _series(chart, _densities(curves, side, last)) | axes
        for side, chart in enumerate(SIDES)
    }


def _densities(curves: Curves, side: int, last: float) -> list[list[Any]]:
    """Densities of one side in both conditions, up to a reaction time, in 1/s."""
    is_shown = curves.rt <= last
    return _both(curves.rt[is_shown], 1000.0 * curves.density[:, side, is_shown], 4)


def observed_data(observed: Observed | None) -> dict[str, Options]:
    """What each chart shows of the data; nothing for None."""
    if observed is None:
        return _no_data()
    return {
        **_histograms(observed),
        "delta": _series("delta", [_xy(observed.delta_at, observed.delta, 1)], 1),
        "accuracy": _series("accuracy", [_known(shares, 4) for shares in observed.accuracy], 2),
    }


def _no_data() -> dict[str, Options]:
    """Every series of data without any."""
    nothing: list[list[Any]] = [[], []]
    return {
        **{chart: _series(chart, nothing, 2) for chart in SIDES},
        "delta": _series("delta", nothing, 1),
        "accuracy": _series("accuracy", nothing, 2),
    }


def _histograms(observed: Observed) -> dict[str, Options]:
    """Densities of correct answers and of errors in bins, in 1/s."""
    density = 1000.0 * _closed(observed.density)
    return {
        chart: _series(chart, _both(observed.edges, density[:, side], 4), 2)
        for side, chart in enumerate(SIDES)
    }


def _series(chart: str, data: Sequence[list[Any]], first: int = 0) -> Options:
    """Numbers for the chart's series from the first on."""
    return {
        "series": [
            {"id": entry["id"], "data": numbers}
            for entry, numbers in zip(SERIES[chart][first:], data, strict=False)
        ]
    }


def _span(curves: Curves, data: tuple[float, float] | None = None) -> tuple[float, float]:
    """Ends of the axes of reaction times, in ms."""
    first, last = curves.rt[0], _last(curves)
    if data is not None:
        first, last = min(first, data[0]), max(last, data[1])
    return 200.0 * np.floor(first / 200.0), _rounded(last, 200)


def _last(curves: Curves) -> float:
    """The reaction time below which nearly all answers of both conditions lie."""
    done = np.cumsum(curves.density.sum(axis=1), axis=-1)
    place = int((done < DRAWN * done[:, -1:]).sum(axis=1).max())
    return float(curves.rt[min(place, len(curves.rt) - 1)])


def _rounded(value: float, to: float = 10.0) -> float:
    """The next multiple above, so that axes stand still while values move a little."""
    return float(to * np.ceil(value / to))


def _closed(density: Array) -> Array:
    """A last 0 for the last edge."""
    return np.concatenate([density, np.zeros((*density.shape[:-1], 1))], axis=-1)


def _both(x: Array, rows: Array, digits: int = 2) -> list[list[Any]]:
    return [_xy(x, row, digits) for row in rows]


def _xy(x: Array, y: Array, digits: int = 2) -> list[list[float | None]]:
    """Pairs, thinned to what a screen can show; None for what is not known."""
    every = max(1, -(-len(x) // MOST_POINTS))
    return [
        [round(float(a), 1), value]
        for a, value in zip(x[::every], _known(y[::every], digits), strict=True)
    ]


def _known(values: Array, digits: int) -> list[float | None]:
    return [round(float(value), digits) if np.isfinite(value) else None for value in values]
