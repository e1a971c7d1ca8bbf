"""The page that explores: move a parameter of the model, and see what it does, over your data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from nicegui import events, run, ui

from incongruent.app.charts import CHARTS, TITLES, curves_data, in_words, observed_data, options
from incongruent.app.observed import Observed, observe
from incongruent.app.shared import Shared, card, frame
from incongruent.app.visitors import Visitor
from incongruent.app.work import Outcome
from incongruent.data.trials import Trials
from incongruent.models import Model, Parameter, dmc
from incongruent.models.implied import Curves, curves
from incongruent.priors.joint import AnyPrior
from incongruent.priors.published import broad

Array = np.ndarray

STEPS = 240
"""At least so many places on every slider."""
NOTHING, EVERYBODY = -2, -1
"""Stand for no data and for the mean of all people, where people are known by their positions."""
MANY = 12
"""Of more people one can be found by typing."""


class ExplorerPage:
    """One page of one visitor.

    Args:
        shared: what all pages share.
        visitor: whose page it is.
    """

    def __init__(self, shared: Shared, visitor: Visitor) -> None:
        self.shared, self.visitor = shared, visitor
        # The page shows this study until it is opened again.
        self.study = visitor.reading.study if visitor.reading is not None else None
        simulator = shared.posteriors[visitor.network or next(iter(shared.posteriors))].simulator
        self.model, prior = _explorable(simulator.model, simulator.prior)
        self.ranges = _ranges(self.model, prior)
        self.typical = self._inside([p.typical for p in self.model.parameters])
        self.values = list(self.typical)
        self.busy, self.again = False, False
        self.person_ticket = 0
        self.span: tuple[float, float] | None = None
        self.sliders: list[Any] = []
        self.numbers: list[Any] = []

    def _inside(self, values: Sequence[float | None]) -> list[float]:
        """The nearest values that the sliders can have; the lowest where there is none."""
        return [
            _within(value, low, high)
            for value, (low, high, _) in zip(values, self.ranges, strict=True)
        ]

    def build(self) -> None:
        """Put everything on the page."""
        with frame("/explorer"), ui.element("div").classes("explorer"):
            with ui.element("div").classes("side"):
                self._parameter_card()
                self._data_card()
            with ui.element("div").classes("charts"):
                self._draw_charts()
        if self.study is not None:
            ui.timer(0.0, lambda: self._show_data(EVERYBODY), once=True)

    def _draw_charts(self) -> None:
        found = self._curves()
        drawn, words = _merged(curves_data(found), observed_data(None)), in_words(found)
        self.spoken: dict[str, ui.element] = {}
        self.charts = {chart: self._chart(chart, drawn[chart], words[chart]) for chart in CHARTS}

    def _chart(self, chart: str, drawn: dict[str, Any], words: str) -> ui.echart:
        """A chart in an element that says what it shows.

        The words belong to that element: with other words the chart itself would be drawn again.
        """
        with card(TITLES[chart]), ui.element("div").props("role=img") as self.spoken[chart]:
            self.spoken[chart].props["aria-label"] = words
            return (
                ui.echart(_with_numbers(options(chart), drawn))
                .classes("chart")
                .classes(f"at-{chart}")
            )

    # --- parameters -------------------------------------------------------------------------------

    def _parameter_card(self) -> None:
        with card("Parameters"):
            for place in range(len(self.values)):
                self._parameter(place)
            with ui.element("div").classes("line").style("margin-top: 14px"):
                ui.button("Typical values", on_click=self._reset).props(
                    "outline dense padding='4px 12px'"
                ).classes("at-reset")

    def _parameter(self, place: int) -> None:
        """What a parameter is called and means, and two controls that move it."""
        parameter = self.model.parameters[place]
        with ui.element("div").classes("parameter"):
            ui.label(_in_words(parameter)).classes("meaning small")
            self.sliders.append(self._slider(place, parameter.name))
            self.numbers.append(self._number(place, parameter.name))

    def _slider(self, place: int, name: str) -> ui.slider:
        slider = ui.slider(**self._limits(place)).props(f'aria-label="{name}"')
        return slider.classes(f"at-slider-{name}")

    def _number(self, place: int, name: str) -> ui.number:
        number = ui.number(**self._limits(place))
        number.props(f'dense outlined hide-bottom-space aria-label="{name}, number"')
        return number.classes(f"at-number-{name}")

    def _limits(self, place: int) -> dict[str, Any]:
        """What both controls of a parameter have in common."""
        low, high, step = self.ranges[place]
        value, moved = self.values[place], partial(self._moved, place)
        return {"min": low, "max": high, "step": step, "value": value, "on_change": moved}

    async def _moved(self, place: int, event: events.ValueChangeEventArguments) -> None:
        """A slider or a number has another value.

        What is no value of the parameter, such as a number half typed, is not taken.
        """
        value = event.value
        if not self._is_possible(place, value) or value == self.values[place]:
            return
        self.values[place] = float(value)
        self._show_values([place])
        await self._draw()

    def _is_possible(self, place: int, value: object) -> bool:
        """Whether something is a value that the parameter can have."""
        low, high, _ = self.ranges[place]
        return isinstance(value, int | float) and low <= value <= high

    def _show_values(self, places: list[int]) -> None:
        for place in places:
            self.sliders[place].value = self.numbers[place].value = self.values[place]

    async def _set_all(self, values: list[float]) -> None:
        self.values = self._inside(values)
        self._show_values(list(range(len(self.values))))
        await self._draw()

    async def _reset(self) -> None:
        await self._set_all(self.typical)

    # --- curves -----------------------------------------------------------------------------------

    def _curves(self) -> Curves:
        return curves(self.model, np.array(self.values))

    async def _draw(self) -> None:
        """Draw the curves of the latest values.

        Of values that come meanwhile the last ones are drawn afterwards.
        """
        self.again = True
        if self.busy:
            return
        self.busy = True
        try:
            while self.again:
                self.again = False
                found = await run.io_bound(self._drawn)
                if found is None:  # while the server stops
                    return
                changed, spoken = found
                self._send(changed)
                self._say(spoken)
        finally:
            self.busy = False

    def _drawn(self) -> tuple[dict[str, Any], dict[str, str]]:
        found = self._curves()
        return curves_data(found, self.span), in_words(found)

    def _send(self, changed: dict[str, Any]) -> None:
        """Only numbers go to the browser."""
        for chart, numbers in changed.items():
            self.charts[chart].run_chart_method("setOption", numbers)

    def _say(self, spoken: dict[str, str]) -> None:
        """What each chart shows, for those who hear the page."""
        for chart, words in spoken.items():
            self.spoken[chart].props["aria-label"] = words

    # --- data -------------------------------------------------------------------------------------

    def _data_card(self) -> None:
        with card("Data behind the curves"):
            if self.study is None:
                ui.label(
                    "None yet: drop a file on the page Fit, and its people can be shown here."
                ).classes("soft small")
            else:
                self._data_controls(self.study)

    def _data_controls(self, study: Trials) -> None:
        ui.label(self.visitor.file_name).classes("soft small text")
        self._person_control(study)
        self._mean_button()
        _small_print("The densities show the middle 99 % of the answers.")
        self.why_not = _small_print("")

    def _mean_button(self) -> None:
        self.take = ui.button("Take the posterior mean", on_click=self._take_mean)
        self.take.classes("at-take-mean")
        self.take.props("outline dense padding='4px 12px'").style("margin-top: 10px")

    def _person_control(self, study: Trials) -> None:
        """Whose data are shown."""
        self.person = ui.select(
            _choices(study),
            value=EVERYBODY,
            with_input=len(study) > MANY,
            on_change=lambda e: self._show_data(e.value),
        )
        self.person.classes("fill").props('dense outlined aria-label="person"')
        self.person.classes("at-person")

    async def _show_data(self, person: int | None) -> None:
        study = self.study
        if study is None or person is None:
            return
        self.person_ticket = ticket = self.person_ticket + 1
        found = await _observed(study, person)
        if ticket != self.person_ticket:
            return  # somebody else has been chosen meanwhile
        self.span = found.span if found is not None else None
        self._send(observed_data(found))
        await self._draw()
        self._offer_mean(person)

    def _offer_mean(self, person: int) -> None:
        """Let the posterior mean be taken where there is one, and say else why not."""
        self.take.enabled = self._mean(person) is not None
        self.why_not.text = self._why_no_mean(person)

    def _why_no_mean(self, person: int) -> str:
        """Why there is no posterior mean to take; nothing where there is one, or no data are."""
        if person == NOTHING or self._mean(person) is not None:
            return ""
        if self._is_fitted:
            return "There is no posterior of these parameters for this person."
        return "Fit these data first."

    @property
    def _is_fitted(self) -> bool:
        """Whether the latest outcome is that of the study on this page."""
        return self.visitor.outcome is not None and self.visitor.fitted is self.study

    def _mean(self, person: int) -> list[float] | None:
        """Posterior mean of a person, or the mean of everybody's.

        None where there is no posterior of these parameters.
        """
        outcome, study = self.visitor.outcome, self.study
        if outcome is None or study is None or not self._is_fitted or person == NOTHING:
            return None
        if outcome.parameter_names != self.model.parameter_names:
            return None
        if person == EVERYBODY:
            return outcome.means.mean(axis=0).tolist()
        return _mean_of(study.names[person], outcome)

    async def _take_mean(self) -> None:
        mean = self._mean(self.person.value)
        if mean is not None:
            await self._set_all(mean)


def _explorable(model: Model, prior: AnyPrior) -> tuple[Model, AnyPrior]:
    """The network's model where it has curves, the standard one otherwise."""
    try:
        curves(model, np.array([parameter.typical for parameter in model.parameters], float))
    except ValueError:
        return dmc(), broad()
    return model, prior


def _mean_of(name: str, outcome: Outcome) -> list[float] | None:
    """The posterior mean of the person with this name; None where there is nobody."""
    if name not in outcome.names:
        return None
    return outcome.means[outcome.names.index(name)].tolist()


async def _observed(study: Trials, person: int) -> Observed | None:
    """What the data of a person show, or those of everybody; nothing where none are wanted."""
    if person == NOTHING:
        return None
    return await run.io_bound(observe, study, None if person == EVERYBODY else person)


def _choices(study: Trials) -> dict[int, str]:
    """Whose data can be shown; people are known by their positions."""
    everybody = f"mean of {len(study)} people"
    return {NOTHING: "none", EVERYBODY: everybody, **dict(enumerate(study.names))}


def _small_print(text: str) -> ui.label:
    return ui.label(text).classes("soft small").style("margin-top: 6px")


def _in_words(parameter: Parameter) -> str:
    """A parameter's name, meaning and unit."""
    unit = f" ({parameter.unit})" if parameter.unit else ""
    return f"{parameter.name}: {parameter.meaning}{unit}"


def _ranges(model: Model, prior: AnyPrior) -> list[tuple[float, float, float]]:
    """The ends and the step of every slider."""
    return [_range(p, *prior.limits(i)) for i, p in enumerate(model.parameters)]


def _range(parameter: Parameter, low: float, high: float) -> tuple[float, float, float]:
    """Of a slider: its ends, and a step that people would choose.

    The ends are the prior's limits, or 0 and three times the typical value where it has none.
    """
    high = high if np.isfinite(high) else 3.0 * (parameter.typical or 1.0)
    low = low if np.isfinite(low) else 0.0
    step = _step((high - low) / STEPS)
    first, last = np.ceil(low / step), np.floor(high / step)
    return _multiple(first, step), _multiple(last, step), float(f"{step:.1g}")


def _multiple(n: float, step: float) -> float:
    """So many steps, without the last digits that come of computing."""
    return round(float(n * step), 10)


def _step(longest: float) -> float:
    """The longest step of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(longest))
    return power * max(factor for factor in (1, 2, 5) if factor * power <= longest)


def _within(value: float | None, low: float, high: float) -> float:
    return float(f"{min(max(value if value is not None else low, low), high):.4g}")


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The same charts with the series of both."""
    return {
        chart: {
            **first[chart],
            "series": [*first[chart]["series"], *second.get(chart, {}).get("series", [])],
        }
        for chart in first
    }


def _with_numbers(whole: dict[str, Any], numbers: dict[str, Any]) -> dict[str, Any]:
    """A chart's options with its first numbers, before it is sent as a whole."""
    axes = {
        axis: {**whole[axis], **numbers[axis]} for axis in ("xAxis", "yAxis") if axis in numbers
    }
    return {**whole, **axes, "series": _with_data(whole["series"], numbers["series"])}


def _with_data(series: list[dict[str, Any]], numbers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every series with its numbers, by its id; without any where none are given."""
    by_id = {entry["id"]: entry["data"] for entry in numbers}
    return [entry | {"data": by_id.get(entry["id"], [])} for entry in series]
