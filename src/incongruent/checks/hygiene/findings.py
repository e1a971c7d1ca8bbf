"""Findings about the trials of a study: records that print as a sentence or a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pandas as pd


class Severity(Enum):
    """How much a finding matters."""

    FINE = "fine"
    UNKNOWN = "cannot be determined"
    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """The result of one check of the trials.

    Attributes:
        name: "units", "congruency effect", "deadline", "rounding", "order", "first trial",
            "autocorrelation" or "congruency sequence".
        severity: how much it matters.
        sentence: what was found, why it misleads, what to do.
        numbers: on which that rests, by name with unit.
        p: of as much or more by chance; None where there is no test.
    """

    name: str
    severity: Severity
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    p: float | None = None

    def rows(self) -> list[tuple[str, str, float, str, float]]:
        """One row per number: name, severity, p, number, value; one row also without numbers."""
        p = np.nan if self.p is None else self.p
        return [
            (self.name, self.severity.value, p, number, value)
            for number, value in (self.numbers or {"": np.nan}).items()
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.severity.value}. {self.sentence}"


@dataclass(frozen=True)
class Hygiene:
    """The findings of all checks of the trials of a study."""

    findings: tuple[Finding, ...]

    def __getitem__(self, name: str) -> Finding:
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(
            f"Expected one of {[finding.name for finding in self.findings]}; got {name!r}."
        )

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What should be dealt with before anything is fitted."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)

    def table(self) -> pd.DataFrame:
        """One row per finding and number: finding, severity, p, number, value."""
        rows = [row for finding in self.findings for row in finding.rows()]
        return pd.DataFrame(rows, columns=["finding", "severity", "p", "number", "value"])

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))
