"""STAND-IN, to be replaced by the report package when branches are joined: a page with what there is to say, in words only."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from incongruent.checks.verdict import Check
from incongruent.fitting import Fit
from incongruent.posterior import Posterior
from incongruent.storage import write_whole


@dataclass(frozen=True)
class Origin:
    """Where the trials came from, how the report was asked for, and the seed."""

    source: str
    command: str
    seed: int


def write_report(path: Path, *, posterior: Posterior, fit: Fit | None, check: Check | None, origin: Origin) -> None:
    """Write one page."""
    parts = [f"<h1>Report</h1><p>{html.escape(origin.source)}</p><pre>{html.escape(origin.command)}</pre>"]
    if check is not None:
        parts.append(f"<pre>{html.escape(check.to_markdown())}</pre>")
    if fit is not None:
        parts.append(fit.group().to_html(index=False))
    write_whole(path, f"<!doctype html><meta charset=utf-8><title>Report</title><body>{''.join(parts)}</body>".encode())
