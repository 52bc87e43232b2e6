"""The aligner in arrays against one row at a time."""

from __future__ import annotations

import numpy as np
import pytest

from reference.align import Row, same
from tiertwin.functions.align import METHODS, Aligner


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("horizon", [0.0, 3.0])
def test_arrays_say_what_each_row_says(method: str, horizon: float) -> None:
    rng = np.random.default_rng(7)
    rows = 12
    aligner = Aligner(rows, method, horizon_s=horizon, memory=20)
    slow = [Row(method, horizon, 20) for _ in range(rows)]
    level, slope = rng.normal(50, 10, rows), rng.normal(0, 1, rows)
    for step in range(120):
        level = level + slope * 0.5 + rng.normal(0, np.linspace(0, 3, rows))
        told = np.flatnonzero(rng.random(rows) < 0.6)
        time = 0.5 * step - rng.uniform(0, 1.2, len(told)).round(1)  # some come late
        aligner.observe(told, level[told], time)
        for r, t in zip(told, time, strict=True):
            slow[r].observe(float(level[r]), float(t))
        if step % 10 == 9:
            for when in (0.5 * step - 1.0, 0.5 * step, 0.5 * step + 4.0):
                assert all(same(a, row.at(when)) for a, row in zip(aligner.at(when), slow, strict=True))
