"""Charts of the model's curves over a study, as options for ECharts; numbers come in, nothing is
computed.

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
AXES = {
    "activation": ("time since the decision began (ms)", "activation"),
    "drift": ("time since the decision began (ms)", "drift (1/ms)"),
    "correct": ("reaction time (ms)", "density (1/s)"),
    "error": ("reaction time (ms)", "density (1/s)"),
    "delta": ("mean RT of the quantile (ms)", "incongruent − congruent (ms)"),
    "accuracy": ("fifth of the answers, from fast to slow", "share correct"),
}


def in_words(curves: Curves) -> dict[str, str]:
    """What each chart shows, for those who do not see it: its axes, and the numbers that matter
    most.
    """
    said = {
        "activation": (
            f"bounds at ±{curves.bound:.0f}; the automatic part is at most"
            f" {np.abs(curves.automatic).max():.0f}"
        ),
        "drift": (
            _of_both("{:.2f} at first", curves.drift[:, 0])
            + "; "
            + _of_both("{:.2f} in the end", curves.drift[:, -1])
        ),
        "correct": _of_both("{:.0f} ms on average", curves.mean_rt),
        "error": _of_both("{:.1%} of the answers", curves.errors),
        "delta": (
            f"from {curves.delta[0]:.0f} ms at {curves.delta_at[0]:.0f} ms to"
            f" {curves.delta[-1]:.0f} ms at {curves.delta_at[-1]:.0f} ms"
        ),
        "accuracy": (
            f"{_of_both('{:.0%} in the fastest fifth', curves.accuracy[:, 0])};"
            f" {_of_both('{:.0%} in the slowest', curves.accuracy[:, -1])}"
        ),
    }
    return {
        chart: f"{TITLES[chart]}. {AXES[chart][1]} over {AXES[chart][0]}. Model: {words}."
        for chart, words in said.items()
    }


def _of_both(words: str, values: Array) -> str:
    return ", ".join(
        f"{name} {words.format(float(value))}" for name, value in zip(LEVELS, values, strict=True)
    )


def options(chart: str) -> Options:
    """Everything about a chart but its numbers."""
    x, y = AXES[chart]
    text = {"color": INK, "fontSize": 12}
    labels = {"color": INK, "hideOverlap": True}
    axis = {"type": "value", "nameLocation": "middle", "nameTextStyle": text, "axisLabel": labels}
    x_axis = axis | {
        "name": x,
        "nameGap": 26,
        "splitLine": {"show": False},
        "axisLine": {"onZero": False, "lineStyle": {"color": GREY}},
    }
    if chart == "accuracy":
        x_axis |= {"type": "category", "data": [str(i + 1) for i in range(N_BINS)]}
    x_axis |= {"scale": chart == "delta"}
    y_axis = axis | {
        "name": y,
        "nameGap": 42,
        "scale": chart == "accuracy",
        "splitLine": {"lineStyle": {"color": "#ececec"}},
    }
    y_axis |= {"max": 1} if chart == "accuracy" else {}
    legend = [_key(entry) for entry in SERIES[chart] if not entry["name"].endswith(UNNAMED)]
    return {
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "grid": {"left": 58, "right": 14, "top": 34 if chart != "activation" else 52, "bottom": 40},
        "legend": {
            "data": legend,
            "top": 0,
            "left": 0,
            "itemWidth": 26,
            "itemHeight": 8,
            "textStyle": text,
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "axisPointer": {"type": "line"},
            "order": "seriesAsc",
        },
        "xAxis": x_axis,
        "yAxis": y_axis,
        "series": SERIES[chart],
    }


def _key(series: Options) -> Options:
    """A series in the legend: a line as it is drawn, without a symbol, or the symbol of points."""
    return {
        "name": series["name"],
        **({"itemStyle": {"opacity": 0}} if series["type"] == "line" else {"icon": DIAMOND}),
    }


def curves_data(curves: Curves, data: tuple[float, float] | None = None) -> dict[str, Options]:
    """What each chart shows of the model; axes of reaction times reach over those of the data,
    (first, last) in ms, too.
    """
    first, last = _span(curves, data)
    shown = curves.rt <= last
    end = _rounded(max(_span(curves)[1] - curves.rt[0], 200.0), 50)
    decision, step = curves.time <= end, curves.drift_time <= end
    time = curves.time[decision]
    total, automatic, bound = (
        curves.activation[:, decision],
        curves.automatic[:, decision],
        np.full(len(time), curves.bound),
    )
    paths = [
        *_both(time, total),
        *(_xy(time, one, 2) for one in automatic),
        _xy(time, curves.controlled[decision], 2),
    ]
    reach = 1.35 * curves.bound
    found = {
        "activation": (
            _series("activation", [*paths, _xy(time, bound), _xy(time, -bound)])
            | {
                "yAxis": {"min": -_rounded(reach), "max": _rounded(reach)},
                "xAxis": {"max": end},
            }
        ),
        "drift": (
            _series("drift", _both(curves.drift_time[step], curves.drift[:, step], 4))
            | {"xAxis": {"max": end}}
        ),
        "delta": _series("delta", [_xy(curves.delta_at, curves.delta, 1)]),
        "accuracy": _series(
            "accuracy",
            [[round(float(share), 4) for share in condition] for condition in curves.accuracy],
        ),
    }
    for side, chart in enumerate(("correct", "error")):
        found[chart] = _series(
            chart, _both(curves.rt[shown], 1000.0 * curves.density[:, side, shown], 4)
        )
        found[chart]["xAxis"] = {"min": first, "max": last}
    return found


def observed_data(observed: Observed | None) -> dict[str, Options]:
    """What each chart shows of the data; nothing for None."""
    found: dict[str, Options] = {}
    for side, chart in enumerate(("correct", "error")):
        bars = (
            [[], []]
            if observed is None
            else _both(observed.edges, 1000.0 * _closed(observed.density[:, side]), 4)
        )
        found[chart] = _series(chart, bars, 2)
    found["delta"] = _series(
        "delta", [[] if observed is None else _xy(observed.delta_at, observed.delta, 1)], 1
    )
    shares = (
        [[], []] if observed is None else [_known(condition, 4) for condition in observed.accuracy]
    )
    found["accuracy"] = _series("accuracy", shares, 2)
    return found


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
    done = np.cumsum(curves.density.sum(axis=1), axis=-1)
    last = float(
        curves.rt[min(int((done < DRAWN * done[:, -1:]).sum(axis=1).max()), len(curves.rt) - 1)]
    )
    first, last = (
        (curves.rt[0], last) if data is None else (min(curves.rt[0], data[0]), max(last, data[1]))
    )
    return 200.0 * np.floor(first / 200.0), _rounded(last, 200)


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
