"""How much adaptive importance sampling does for one person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """What is asked of adaptive importance sampling.

    Attributes:
        start: draws with which sampling of a variant begins.
        enough: the effective number of draws that is wanted.
        to_fit, to_fit_each: a proposal may be fitted to so many effective draws, or so many for
            each parameter where that is more.
        a_round, a_round_each: draws of a round of adaptation, or draws for each parameter where
            that is more.
        settled: adaptation has ended when the effective number is so many times what a proposal may
            be fitted to.
        at_once: whether a round counts as the last draws where it happens to be good enough.
        parabola: whether proposals come from the values of the density as well (`parabola`).
    """

    start: int = 400
    enough: float = 800.0
    to_fit: float = 60.0
    to_fit_each: float = 25.0
    a_round: int = 400
    a_round_each: int = 60
    settled: float = 2.0
    at_once: bool = False
    parabola: bool = False

    def fewest_to_fit(self, n_parameters: int) -> float:
        """The effective number of draws to which a proposal may be fitted."""
        return max(self.to_fit, self.to_fit_each * n_parameters)

    def draws_of_a_round(self, n_parameters: int) -> int:
        """The draws of a round of adaptation."""
        return max(self.a_round, self.a_round_each * n_parameters)


THOROUGH = Effort()
"""For posteriors that are shown: evidence is known to about 0.02 nats."""
QUICK = Effort(
    start=160,
    enough=100.0,
    to_fit=60.0,
    to_fit_each=8.0,
    a_round=200,
    a_round_each=0,
    settled=1.0,
    at_once=True,
    parabola=True,
)
"""For evidence of a group and means: evidence of a person is known to about 0.07 nats."""
