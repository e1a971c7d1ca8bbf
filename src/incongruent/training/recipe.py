"""How a network learns, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace

from incongruent.data.basics.options import check_counts, checked_names
from incongruent.data.basics.plain import number, whole_number
from incongruent.networks.encoder import EncoderOptions
from incongruent.simulation.simulator import CHUNK

FIRST_CHUNKS = 8
"""Chunks of simulations that have to be there before the first step."""
REUSE_IN_STEPS = 8
"""With a budget in steps, how often each data set is drawn on average.

It is fixed, so that the same seed gives the same network.
"""
LARGE_BATCH, SMALL_BATCH = 256, 64
WARMUP_SHARE = 0.1
DEFAULT_EPOCHS, DEFAULT_STEPS = 100, (3000, 60_000)
"""The budget for stored simulations when none is given: so many epochs, within so many steps."""
ONE_LENGTH, TWO_LENGTHS, ALL_LENGTHS = (1.0, 150), (5.0, 1000), 4
"""Up to so many minutes or steps there are one or two padded lengths; above, four.

Each takes about ten seconds to compile.
"""


@checked_names
@dataclass(frozen=True)
class Recipe:
    """How the network learns.

    Attributes:
        batch_size: data sets a step; when None 256, or 64 for encoders that look at every trial.
        peak_rate: highest learning rate.
        warmup: steps until it is reached, but at most a tenth of the budget after the first step.
        clip: largest norm of a gradient.
        average: decay of the averaged weights.
        mmd_weight: weight of the MMD term on the summaries; 0 leaves it out.
        buffer_bytes: room for recent simulations.
        reuse: with a budget in minutes, how often each data set is used at least on average, each
            time with other of its trials; fewer simulations leave more of the cores to learning.
    """

    batch_size: int | None = None
    peak_rate: float = 2e-3
    warmup: int = 200
    clip: float = 2.0
    average: float = 0.998
    mmd_weight: float = 0.0
    buffer_bytes: int = 300_000_000
    reuse: float = 1.0

    def __post_init__(self) -> None:
        check_counts(
            self,
            {"warmup": 1, "buffer_bytes": 0}
            | ({"batch_size": 2} if self.batch_size is not None else {}),
        )
        for name in ("peak_rate", "clip", "average", "mmd_weight", "reuse"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        positive = self.peak_rate > 0 and self.clip > 0 and self.reuse > 0 and self.mmd_weight >= 0
        if self.n_batch < 2 or self.warmup < 1 or not 0 <= self.average < 1 or not positive:
            raise ValueError(
                "Expected batch_size ≥ 2, peak_rate > 0, warmup ≥ 1, clip > 0, 0 ≤ average < 1,"
                f" mmd_weight ≥ 0 and reuse > 0; got {self}."
            )

    @property
    def n_batch(self) -> int:
        """Data sets a step."""
        return LARGE_BATCH if self.batch_size is None else self.batch_size

    def sized_for(self, encoder: EncoderOptions | None) -> Recipe:
        """The same recipe with a batch size: the one that was chosen, or one for the encoder."""
        if self.batch_size is not None:
            return self
        every_trial = encoder is not None and encoder.every_trial
        return replace(self, batch_size=SMALL_BATCH if every_trial else LARGE_BATCH)

    def chunks_for(self, step: int) -> int:
        """How many chunks of simulations may be there at a step."""
        return 2 * FIRST_CHUNKS + int(step * self.n_batch / (self.reuse * CHUNK))


@dataclass(frozen=True)
class Budget:
    """How long to train: minutes of the clock, or steps; exactly one of the two."""

    minutes: float | None
    steps: int | None

    def __post_init__(self) -> None:
        if self.minutes is not None:
            object.__setattr__(self, "minutes", number("minutes", self.minutes))
        if self.steps is not None:
            object.__setattr__(self, "steps", whole_number("steps", self.steps, 1))
        given = [value for value in (self.minutes, self.steps) if value is not None]
        if len(given) != 1 or given[0] <= 0:
            raise ValueError(
                f"Expected either minutes or steps, above 0; got minutes={self.minutes},"
                f" steps={self.steps}."
            )

    def share(self, step: int, seconds: float) -> float:
        """How much of it is used, 0 to 1."""
        if self.minutes is not None:
            return seconds / (60.0 * self.minutes)
        return step / (self.steps or 1)

    @property
    def n_lengths(self) -> int:
        """To how many lengths batches are padded.

        They are few in a short budget, in which another compilation would cost more than it saves.
        """
        if self._within(*ONE_LENGTH):
            return 1
        return 2 if self._within(*TWO_LENGTHS) else ALL_LENGTHS

    def _within(self, minutes: float, steps: int) -> bool:
        """Whether the budget is at most so many minutes, or so many steps."""
        if self.minutes is not None:
            return self.minutes <= minutes
        return (self.steps or 1) <= steps

    def chunks(self, step: int, batch_size: int) -> int | None:
        """How many chunks have to have arrived before a step.

        None with a budget in minutes, when whatever is ready enters.
        """
        if self.steps is None:
            return None
        return FIRST_CHUNKS + step * batch_size // (REUSE_IN_STEPS * CHUNK)


def budget_for(
    minutes: float | None,
    steps: int | None,
    epochs: float | None,
    n_stored: int | None,
    batch_size: int,
) -> Budget:
    """The budget that was asked for; for stored simulations it may be in epochs, or left out.

    Raises:
        ValueError: when more than one is given, none where one is needed, or epochs without stored
            simulations.
    """
    epochs = _checked_epochs(minutes, steps, epochs, n_stored)
    if n_stored is None or minutes is not None or steps is not None:
        return Budget(minutes, steps)
    wanted = (DEFAULT_EPOCHS if epochs is None else epochs) * n_stored / batch_size
    if epochs is not None:
        return Budget(None, max(1, round(wanted)))
    fewest, most = DEFAULT_STEPS
    return Budget(None, round(min(max(wanted, fewest), most)))


def _checked_epochs(
    minutes: float | None, steps: int | None, epochs: float | None, n_stored: int | None
) -> float | None:
    """The epochs that were asked for, if any, as a plain number."""
    if epochs is None:
        return None
    if minutes is not None or steps is not None:
        raise ValueError(
            f"Expected one of minutes, steps and epochs; got minutes={minutes}, steps={steps},"
            f" epochs={epochs}."
        )
    if n_stored is None:
        raise ValueError(
            "Expected minutes or steps for training while simulating, where there are no epochs;"
            " got epochs. Use steps."
        )
    epochs = number("epochs", epochs)
    if not epochs > 0:
        raise ValueError(f"Expected epochs above 0; got {epochs}.")
    return epochs
