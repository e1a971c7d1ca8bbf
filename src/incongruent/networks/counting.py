"""Counts and quantiles of trials on knots, compiled.

A trial between two knots counts at both, by nearness. One row of features holds frequencies at
knots for each cell, then the share of each cell and of the unanswered trials, then log n.
"""

from __future__ import annotations

import math

import numba


@numba.njit(nogil=True, cache=True)
def count(place, cell, rows, starts, sizes, n_cells, n_knots, out):  # pragma: no cover - compiled
    """Square-root frequencies, shares and log n of runs of trials.

    Args:
        place: on the axis of knots, (dataset, trial).
        cell: of the categories, (dataset, trial); -1 where there is no trial, and from ``n_cells``
            on where there was no answer.
        rows: which data sets, (batch,).
        starts: the first trial of each run, (batch,).
        sizes: how many trials each run has, (batch,).
        n_cells: cells with an answer.
        n_knots: knots of the axis.
        out: zeros that are overwritten, (batch, feature).
    """
    for i in range(len(rows)):
        run = slice(starts[i], starts[i] + sizes[i])
        n = _count_run(place[rows[i], run], cell[rows[i], run], n_cells, n_knots, out[i])
        _counts_to_shares(out[i], n, n_cells * n_knots)


@numba.njit(nogil=True, cache=True)
def _count_run(place, cell, n_cells, n_knots, out):  # pragma: no cover - compiled
    """Add the trials of one run to its row of features; how many there are."""
    n = 0
    for j in range(len(cell)):
        c = cell[j]
        if c < 0:
            continue
        n += 1
        out[n_cells * n_knots + c] += 1.0
        if c < n_cells:
            _add_at_knots(out, c * n_knots, n_knots, place[j])
    return n


@numba.njit(nogil=True, cache=True)
def _add_at_knots(out, first, n_knots, place):  # pragma: no cover - compiled
    """Divide one trial between the two knots beside its place; those of its cell begin at first."""
    knot = min(int(place), n_knots - 2)
    right = place - knot
    out[first + knot] += 1.0 - right
    out[first + knot + 1] += right


@numba.njit(nogil=True, cache=True)
def _counts_to_shares(out, n, n_frequencies):  # pragma: no cover - compiled
    """Make counts shares of n trials, those at knots square roots of shares, and add log n."""
    last = len(out) - 1
    for f in range(last):
        share = out[f] / max(n, 1)
        out[f] = math.sqrt(share) if f < n_frequencies else share
    out[last] = math.log(max(n, 1))


@numba.njit(nogil=True, cache=True)
def add_quantiles(out, first, n_cells, n_knots, n_quantiles):  # pragma: no cover - compiled
    """Write quantiles of each cell at (k + 1/2) / n_quantiles from feature ``first`` on.

    They are places on the axis from -1 to 1, read off the frequencies; 0 in empty cells.
    """
    for i in range(len(out)):
        for c in range(n_cells):
            share = out[i, n_cells * n_knots + c]
            if share > 0.0:
                begin = first + c * n_quantiles
                frequencies = out[i, c * n_knots : (c + 1) * n_knots]
                _quantiles(frequencies, share, out[i, begin : begin + n_quantiles])


@numba.njit(nogil=True, cache=True)
def _quantiles(frequencies, share, out):  # pragma: no cover - compiled
    """Quantiles of one cell from its square-root frequencies, whose squares sum to ``share``."""
    last = len(frequencies) - 1
    knot, below = 0, 0.0
    mass = frequencies[0] ** 2
    for q in range(len(out)):
        wanted = share * (q + 0.5) / len(out)
        while below + mass < wanted and knot < last:
            below += mass
            knot += 1
            mass = frequencies[knot] ** 2
        # The mass at a knot reaches half a step to either side.
        place = knot - 0.5 + (wanted - below) / max(mass, 1e-12)
        out[q] = 2.0 * place / last - 1.0
