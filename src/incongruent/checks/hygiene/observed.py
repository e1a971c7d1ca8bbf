"""How the RTs of a study were recorded, as far as they tell: what simulated data should share.

A lattice, a wall at which RTs end, and whole milliseconds belong to the experiment, not to people.
Data that are to be compared with the study's are recorded alike, and the exact likelihood is that
of trials so recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from jaxtyping import Float
from scipy import optimize

from incongruent.checks.hygiene.lattice import CLEAR, Steps, Wall, steps_in, wall_in
from incongruent.data.trials import Continuous, Trials
from incongruent.simulation.recording import Recording
from incongruent.simulation.simulator import LaysOut
from incongruent.simulation.windows import Range

Array = np.ndarray

LEVEL = 0.01
"""Of the tests of steps and of a wall."""
NOTICED = 0.002
"""Share of answers missing beyond a wall from which on it is more than a note."""
IN_COMMON = 0.05
"""People share a phase where theirs differ by less than this share of a step, as an SD."""
NO_JITTER = 1e-3
"""A jitter below this share of a step is that of rounding numbers."""
WHOLE = 0.01
"""RTs within so many ms of whole ones are whole milliseconds."""


class _Simulates(Protocol):
    """What has a simulator with a design."""

    @property
    def design(self) -> LaysOut: ...


class Recordable(Protocol):
    """A posterior, an ensemble or draws: what can be told how data were recorded."""

    @property
    def simulator(self) -> _Simulates:
        """Model, prior and design."""
        ...

    def recorded_as(
        self,
        recording: Recording | None = None,
        *,
        window: Range | None = None,
        deadline: float | None = None,
    ) -> Self:
        """The same for data recorded in another way."""
        ...


R = TypeVar("R", bound=Recordable)


@dataclass(frozen=True, eq=False)
class ObservedRecording:
    """How the RTs of a study were recorded.

    Attributes:
        recording: the lattice of steps of 3 ms and more, or whole milliseconds; None for neither.
        phases: (person,) where the lattice points of each person's RTs lie, in ms; None without a
            lattice.
        latest: longest RT in ms, where the slow tail is cut off there; None where it is not.
        missing: the share of answers that would have come later.
        omitted: trials without an answer that stand among the others; late answers are such.
        steps: the test of steps.
        wall: the test of the slow tail.
    """

    recording: Recording | None
    phases: Float[Array, " person"] | None
    latest: float | None
    missing: float
    omitted: int
    steps: Steps
    wall: Wall

    def applied_to(self, fitted: R) -> R:
        """The same posterior, ensemble or draws for data that are recorded like these.

        A lattice, a window or a deadline that its own design has stays as it is, unless answers end
        earlier.
        """
        design = fitted.simulator.design
        window, deadline = self._ends_of(design)
        recording = self.recording if design.recording is None else None
        if recording is None and window is None and deadline is None:
            return fitted
        return fitted.recorded_as(recording, window=window, deadline=deadline)

    def sentences(self, design: LaysOut) -> tuple[str, ...]:
        """What `applied_to` changes in a design, and what that means."""
        said = []
        if self.recording is not None and self.recording.is_wide and design.recording is None:
            said.append(
                f"RTs come in steps of {self.recording.step:.1f} ms: predicted RTs do as well, and"
                " the exact likelihood of a trial is that of its step."
            )
        if any(self._ends_of(design)):
            said.append(
                f"RTs are cut off at {self.latest:.0f} ms, so that about {self.missing:.1%} of all"
                " answers are missing: predicted RTs end there as well, and the exact likelihood is"
                " that of trials with such an end."
            )
        return tuple(said)

    def _ends_of(self, design: LaysOut) -> tuple[Range | None, float | None]:
        """Window and deadline where they differ from those of a design; else None."""
        if self.latest is None or self.latest > _end_of(design) - self.wall.width:
            return None, None
        if self.omitted:
            return None, self.latest
        low = design.window[0] if design.window is not None else 0.0
        return (low, self.latest), None


def _end_of(design: LaysOut) -> float:
    """After which time in ms a design has no answers."""
    high = design.window[1] if design.window is not None else np.inf
    return min(high, np.inf if design.deadline is None else design.deadline)


NOTHING = ObservedRecording(
    None, None, None, 0.0, 0, Steps(np.nan, 0.0, 1.0), Wall(np.nan, 0, 0.0, 0.0, 1.0)
)
"""What is known of trials without RTs in ms."""


def recording_of(study: Trials, *, level: float = LEVEL) -> ObservedRecording:
    """Find out how the RTs of a study were recorded: in which steps, and where they end.

    Args:
        study: one data set a person. Trials without RTs in ms, or without an answer, tell nothing.
        level: of the tests of steps and of a wall.

    Example:
        >>> import incongruent as inc
        >>> coarse = inc.Recording(1000 / 60, jitter=0.3)
        >>> design = inc.Design(300, {"congruent": 0.5, "incongruent": 0.5}, recording=coarse)
        >>> simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design)
        >>> found = recording_of(simulator.simulate(5, seed=1).trials).recording
        >>> round(found.step, 1), round(found.jitter, 1)
        (16.7, 0.3)
    """
    if not _has_times(study):
        return NOTHING
    steps = steps_in(study)
    recording, phases = _lattice_in(study, steps, level)
    step = 0.0 if recording is None or not recording.is_wide else recording.step
    wall = wall_in(study, step=step)
    is_wall = wall.p < level and wall.missing >= NOTICED
    return ObservedRecording(
        recording=recording,
        phases=phases,
        latest=wall.at if is_wall else None,
        missing=wall.missing if is_wall else 0.0,
        omitted=int((study.present & ~study.answered).sum()),
        steps=steps,
        wall=wall,
    )


def _has_times(study: Trials) -> bool:
    """Whether there are answers with RTs in ms."""
    ms = any(isinstance(c, Continuous) and c.name == "rt" and c.unit == "ms" for c in study.columns)
    return ms and bool(study.answered.any())


def _lattice_in(
    study: Trials, steps: Steps, level: float
) -> tuple[Recording | None, Float[Array, " person"] | None]:
    """The lattice on which RTs lie, and the phases of people (person,); None for none."""
    people = [rt[known].astype(float) for rt, known in zip(*_rt_and_answered(study), strict=True)]
    if is_clear(steps, level):
        return _lattice_near(people, steps.size)
    if all((np.abs(rt - np.round(rt)) < WHOLE).all() for rt in people):
        return Recording(1.0, 0.0), np.zeros(len(people))
    return None, None


def _rt_and_answered(study: Trials) -> tuple[Array, Array]:
    return study.values["rt"], study.answered


def is_clear(steps: Steps, level: float) -> bool:
    """Whether steps are so clear that they are worth a word."""
    return steps.power >= CLEAR and steps.p < level


def _lattice_near(people: list[Array], size: float) -> tuple[Recording, Float[Array, " person"]]:
    """The lattice of RTs (answer,) of each person with steps of about a size, and their phases."""
    step = _refined(people, size)
    phases = np.array([Recording(step).phase_in(rt) for rt in people])
    rest = np.concatenate(
        [_wrapped(rt - phase, step) for rt, phase in zip(people, phases, strict=True)]
    )
    jitter = float(rest.std())
    jitter = jitter if jitter > NO_JITTER * step else 0.0
    weights = np.array([len(rt) for rt in people], float)
    return Recording(step, _common(phases, weights, step), jitter), phases


def _refined(people: list[Array], size: float) -> float:
    """The step in ms, near a size, for which RTs agree best with lattices."""

    def power(frequency: float) -> float:
        turns = [np.exp(2j * np.pi * frequency * rt).sum() for rt in people]
        return -float(
            sum(abs(turn) ** 2 / max(len(rt), 1) for turn, rt in zip(turns, people, strict=True))
        )

    around = 0.25 / max(float(rt.max(initial=1.0)) for rt in people)  # within the peak's half width
    found = optimize.minimize_scalar(
        power,
        bounds=(1.0 / size - around, 1.0 / size + around),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(1.0 / found.x)


def _wrapped(difference: Array, step: float) -> Array:
    """Differences to the nearest lattice point, in ms."""
    return (difference + 0.5 * step) % step - 0.5 * step


def _common(phases: Array, weights: Array, step: float) -> float | None:
    """The phase that people (person,) share; None where they differ."""
    mean = float(np.angle((weights * np.exp(2j * np.pi * phases / step)).sum()) / (2.0 * np.pi))
    distance = _wrapped(phases - mean * step, step)[weights > 0]
    spread = float(np.sqrt(np.average(distance**2, weights=weights[weights > 0])))
    return mean % 1.0 * step if spread < IN_COMMON * step else None
