r"""How response times are recorded: not when the key went down, but when the program saw it.

A program that looks at the keyboard once a screen refresh sees a key late, by half a step on
average; a file may hold hundredths of a second. RTs then lie on a lattice. A `Recording` moves
every RT t to the nearest point of it, so that all t of [point - step / 2, point + step / 2] become
the point. Polling would move t to the next point instead. The two differ by half a step for every
trial, and no data tell a delay of half a step from a non-decision time that is half a step longer;
so the delay is counted as part of mu_R, and means and medians of RTs are those of the file.

The likelihood of a trial on a lattice is the mass of its interval, here divided by the step, so
that log likelihoods and evidences compare with those of densities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from incongruent.data.basics.plain import number
from incongruent.simulation.windows import Range

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Shaped

Array = np.ndarray

WIDE = 3.0
"""Steps in ms from which on the likelihood of a trial is the mass of its interval.

A shorter step changes sd_R by less than 0.4 %, where that is at least 10 ms."""
NEAR = 3.0
"""A lattice point so many SDs of the jitter behind the end of a window counts as within."""


@dataclass(frozen=True)
class Recording:
    """A lattice on which RTs lie, as the clock of an experiment gives them.

    Args:
        step: distance of its points, in ms.
        phase: where its points lie: at phase, phase + step, …, in ms. When left out, every data set
            has a phase of its own.
        jitter: standard deviation in ms of what is added to the points.

    Raises:
        ValueError: for a step that is not above 0, or a jitter below 0.

    Example:
        >>> sixty_hertz = Recording(1000 / 60, phase=0.0)
        >>> rng = np.random.default_rng(1)
        >>> sixty_hertz.recorded(np.array([[341.0, 342.0]]), np.zeros(1), rng).round(1).tolist()
        [[333.3, 350.0]]
    """

    step: float
    phase: float | None = None
    jitter: float = 0.0

    def __post_init__(self) -> None:
        for name in ("step", "jitter", *(["phase"] if self.phase is not None else [])):
            value = number(f"the {name} of a recording", getattr(self, name))
            object.__setattr__(self, name, value)
        if not self.step > 0.0:
            raise ValueError(f"Expected a step above 0 ms; got {self.step}.")
        if self.jitter < 0.0:
            raise ValueError(f"Expected a jitter of at least 0 ms; got {self.jitter}.")

    @property
    def is_wide(self) -> bool:
        """Whether the likelihood of a trial is the mass of its interval, not a density."""
        return self.step >= WIDE

    def drawn_phases(self, n_datasets: int, rng: np.random.Generator) -> Float[Array, " dataset"]:
        """The phase of each of so many data sets, (dataset,): its own, or that of all."""
        if self.phase is not None:
            return np.full(n_datasets, self.phase)
        return rng.uniform(0.0, self.step, n_datasets)

    def recorded(
        self,
        rt: Float[Array, "dataset trial"],
        phases: Float[Array, " dataset"],
        rng: np.random.Generator,
    ) -> Float[Array, "dataset trial"]:
        """RTs (dataset, trial) as they are recorded on lattices with phases (dataset,).

        What would not lie above 0 stays as it is.
        """
        phase = phases[:, None]
        found = phase + self.step * np.round((rt - phase) / self.step)
        if self.jitter > 0.0:
            found += self.jitter * rng.standard_normal(rt.shape)
        return np.where(found > 0.0, found, rt)

    def phase_in(self, rt: Shaped[Array, " answer"]) -> float:
        """The phase of the lattice on which RTs (answer,) lie; 0 where there are none."""
        if self.phase is not None:
            return self.phase
        turns = np.exp(2j * np.pi * np.asarray(rt, float) / self.step).sum()
        return float(np.angle(turns) / (2.0 * np.pi) % 1.0 * self.step)

    def phases_in(
        self, rt: Shaped[Array, "person trial"], answered: Bool[Array, "person trial"]
    ) -> Float[Array, " person"]:
        """The phases (person,) of the lattices on which the answers of people lie."""
        return np.array(
            [self.phase_in(one[known]) for one, known in zip(rt, answered, strict=True)]
        )

    def before(
        self, window: Range | None, deadline: float | None, phase: float
    ) -> tuple[Range | None, float | None]:
        """Window and deadline of RTs as they are before recording.

        They end where the intervals of those lattice points end that lie within.
        """
        if window is not None:
            low = self._point(window[0], phase, math.ceil) - 0.5 * self.step
            window = (max(low, 0.0), self._last(window[1], phase))
        return window, None if deadline is None else self._last(deadline, phase)

    def _last(self, edge: float, phase: float) -> float:
        """The end of the interval of the last lattice point before an edge."""
        return self._point(edge, phase, math.floor) + 0.5 * self.step

    def _point(self, edge: float, phase: float, rounded: Any) -> float:
        """The first or last lattice point on one side of an edge, or so near that it counts."""
        near = min(NEAR * self.jitter / self.step, 0.25) + 1e-6
        sign = 1.0 if rounded is math.floor else -1.0
        return phase + self.step * rounded((edge - phase) / self.step + sign * near)

    def to_json(self) -> dict[str, float | None]:
        """Plain values."""
        return {"step": self.step, "phase": self.phase, "jitter": self.jitter}


def recording_from_json(spec: dict[str, float] | None) -> Recording | None:
    """The recording that `Recording.to_json` described; None where nothing was."""
    return None if spec is None else Recording(**spec)
