"""Numbers as people read them: with a sign, as a percentage, with a word that agrees."""

from __future__ import annotations


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign; a minus and not a hyphen."""
    return f"{value:+.{digits}f}".replace("-", "−").replace("inf", "∞")


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage."""
    return f"{100.0 * share:.{digits}f} %"


def counted(n: int, noun: str) -> str:
    """So many of something, whose plural ends in s: "1 statistic", "2 statistics"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def fails(n: int) -> str:
    """The verb that agrees with a number: 1 fails, 2 fail."""
    return "fails" if n == 1 else "fail"
