"""Controls with which a user says what the columns and codes of a file are.

Each of them offers "automatic", which leaves it to the reader.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from incongruent.app.choices import Choices, Labels, Reading
from incongruent.app.shared import heading
from incongruent.data.codings import OUTCOMES, Coding
from incongruent.data.trials import CONDITION

FOUND_OUT = -1
"""Stands for no column, where columns are known by their positions: names from outside are shown,
and nothing else.
"""
ROLES = {
    "rt": "Reaction time",
    "condition": "Condition",
    "accuracy": "Accuracy (1 = correct)",
    "error": "Error (1 = error)",
}
COMPUTED = {"rt": "t_response - t_onset", "condition": "word == ink", "accuracy": "response == ink"}
"""Roles that can be computed, with an example."""
UNITS = {"": "automatic", "ms": "ms", "s": "s"}
UNUSED = "not used"


class Controls:
    """What can be said about one file.

    Args:
        reading: of the file at present.
        changed: called after something else was said.
    """

    def __init__(self, reading: Reading, changed: Callable[[], Awaitable[None]]) -> None:
        self.columns, self.changed = reading.columns, changed
        self.levels: dict[str, Any] = {}
        self.outcomes: dict[str, Any] = {}
        self.given_levels = dict(reading.choices.coding.levels or {})
        self.given_outcomes = dict(reading.choices.coding.outcomes or {})
        self.names: Any = None
        heading("Corrections", 3)
        with ui.element("div").classes("fields"):
            self._fields(reading.choices)
        self.labels = ui.element("div")

    def _fields(self, choices: Choices) -> None:
        """Names where a header is missing, and everything else where there are columns."""
        if not self.columns or choices.names is not None:
            self.names = self._names_field(choices)
        if self.columns:
            self._roles(choices)

    def _names_field(self, choices: Choices) -> ui.input:
        written = ", ".join(choices.names or ())
        example = "subject, condition, rt, accuracy"
        return _text("Names of the columns", written, self.changed, "names", example)

    def _roles(self, choices: Choices) -> None:
        self.by = self._people(choices)
        self.roles = {
            role: self._column(role, label, getattr(choices.coding, role))
            for role, label in ROLES.items()
        }
        self.unit = self._unit(choices)
        self.where = self._where(choices)
        self.computed = {
            role: self._expression(role, example, getattr(choices.coding, role))
            for role, example in COMPUTED.items()
        }
        self.alone = self._alone(choices)

    def _unit(self, choices: Choices) -> ui.select:
        value = choices.unit or ""
        unit = ui.select(UNITS, label="Unit of reaction times", value=value, on_change=self.changed)
        return unit.classes("at-unit")

    def _where(self, choices: Choices) -> ui.input:
        """A field for which rows to take."""
        example = 'block > 0 and task == "flanker"'
        return _text("Rows to take", choices.where or "", self.changed, "where", example)

    def _alone(self, choices: Choices) -> ui.checkbox:
        """A control for a file of one person."""
        is_alone = choices.by == ()
        return ui.checkbox("All rows are one person's", value=is_alone, on_change=self.changed)

    def _people(self, choices: Choices) -> ui.select:
        """A control for the columns that tell people apart."""
        by = [self.columns.index(name) for name in choices.by or () if name in self.columns]
        people = ui.select(
            dict(enumerate(self.columns)),
            label="Person, one column or several",
            value=by,
            multiple=True,
            clearable=True,
            on_change=self.changed,
        )
        look = "stack-label use-chips" if by else "stack-label display-value='automatic'"
        return people.props(look).classes("at-by")

    def _column(self, role: str, label: str, chosen: str | None) -> Any:
        options = {FOUND_OUT: "automatic", **dict(enumerate(self.columns))}
        value = self.columns.index(chosen) if chosen in self.columns else FOUND_OUT
        control = ui.select(options, label=label, value=value, on_change=self._handler(role))
        return control.classes(f"at-{role}")

    def _handler(self, role: str) -> Callable[[], Awaitable[None]]:
        """What is called when another column is chosen for a role."""
        if role == "condition":
            return self._other_condition
        return self._other_accuracy if role in ("accuracy", "error") else self.changed

    def _expression(self, role: str, example: str, said: str | None) -> ui.input:
        """A field for how a role is computed from columns, instead of the column that plays it."""
        value = said if said is not None and said not in self.columns else ""
        return _text(
            f"{ROLES[role].partition(' (')[0]}, where it is computed",
            value,
            self.changed,
            f"computed-{role}",
            example,
        )

    async def _other_condition(self) -> None:
        self.given_levels = {}
        await self.changed()

    async def _other_accuracy(self) -> None:
        self.given_outcomes = {}
        await self.changed()

    def show_labels(self, reading: Reading) -> None:
        """A control for each label of condition and accuracy, with what it is taken for."""
        self.labels.clear()
        with self.labels:
            self.levels = self._meanings(
                "condition", "level", reading.labels, CONDITION.levels, self._other_level
            )
            self.outcomes = self._meanings(
                "accuracy", "outcome", reading.outcomes, OUTCOMES, self._other_outcome
            )

    def _meanings(
        self,
        role: str,
        mark: str,
        labels: Labels,
        meanings: Sequence[str],
        changed: Callable[[], Awaitable[None]],
    ) -> dict[str, Any]:
        """A control for each label."""
        if not labels:
            return {}
        title = ui.label(f"What the labels of the {role} mean")
        title.classes("soft small").style("margin-top: 10px")
        options = [*meanings, UNUSED]
        with ui.element("div").classes("fields"):
            return {
                label: _meaning(f"{label[:60]} ({share:.0%})", options, meaning, changed).classes(
                    f"at-{mark}-{i}"
                )
                for i, (label, (share, meaning)) in enumerate(labels.items())
            }

    async def _other_level(self) -> None:
        self.given_levels = _said(self.levels)
        await self.changed()

    async def _other_outcome(self) -> None:
        self.given_outcomes = _said(self.outcomes)
        await self.changed()

    def said(self) -> Choices:
        """Everything that is said at present.

        Raises:
            DataError: when it contradicts itself.
        """
        names = self._names()
        if not self.columns:
            return Choices(names=names)
        return Choices(
            names=names,
            by=self._by(),
            where=_written(self.where) or None,
            unit=self.unit.value or None,
            coding=self._coding(),
        )

    def _coding(self) -> Coding:
        levels, outcomes = self.given_levels or None, self.given_outcomes or None
        return Coding(**self._said_roles(), levels=levels, outcomes=outcomes)

    def _names(self) -> tuple[str, ...] | None:
        """The names of columns that are written; None when nothing is."""
        written = _written(self.names) if self.names is not None else ""
        return tuple(name.strip() for name in written.split(",")) if written else None

    def _by(self) -> tuple[str, ...] | None:
        """The columns that tell people apart, () when all rows are one person's."""
        if self.alone.value:
            return ()
        return tuple(self.columns[i] for i in self.by.value or ()) or None

    def _said_roles(self) -> dict[str, str]:
        """The column of each role, or the expression that computes it."""
        written = {role: _written(field) for role, field in self.computed.items()}
        computed = {role: expression for role, expression in written.items() if expression}
        return self._chosen_columns() | computed

    def _chosen_columns(self) -> dict[str, str]:
        """The column that is chosen for each role; roles that are to be found out are not there."""
        chosen = {role: control.value for role, control in self.roles.items()}
        return {role: self.columns[i] for role, i in chosen.items() if i != FOUND_OUT}


def _meaning(
    label: str, options: list[str], meaning: str | None, changed: Callable[[], Awaitable[None]]
) -> ui.select:
    """A control for what one label means."""
    return ui.select(options, label=label, value=meaning or UNUSED, on_change=changed)


def _written(field: Any) -> str:
    """The text in a field, without spaces around."""
    return (field.value or "").strip()


def _said(controls: dict[str, Any]) -> dict[str, str]:
    return {label: control.value for label, control in controls.items() if control.value != UNUSED}


def _text(
    label: str, value: str, changed: Callable[[], Awaitable[None]], mark: str, example: str
) -> ui.input:
    """A line of text that counts when it is finished: on Enter, or when the user goes elsewhere."""
    field = (
        ui.input(label, value=value, placeholder=example)
        .props("stack-label")
        .classes("wide")
        .classes(f"at-{mark}")
    )
    field.on("blur", changed)
    field.on("keydown.enter", changed)
    return field
