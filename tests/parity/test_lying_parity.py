"""The C++ watch over children that may lie against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest

from reference.lying import Watch
from tiertwin.functions.assure.lying import REASONS, LieOptions, LieWatch

CHILDREN, REPORTS, WIDTH = 12, 150, 3


def reports(seed: int, missing: float):
    """Rows of all arguments of a push: honest children, and one of each kind of liar."""
    rng = np.random.default_rng(seed)
    planned = rng.uniform(0.05, 6.0, CHILDREN)
    kept: list[np.ndarray] = []
    for t in range(REPORTS):
        made = rng.poisson(planned).astype(float)
        done, missed = made.copy(), np.zeros(CHILDREN)
        made *= 1.0 + 0.03 * rng.standard_normal(CHILDREN)
        measured = rng.normal(10.0, 1.0, (CHILDREN, WIDTH))
        measured[rng.random(measured.shape) < 0.1] = 0.0
        measured[rng.random(measured.shape) < missing] = np.nan
        bounds = np.zeros(CHILDREN)
        kept.append(measured.copy())
        if t > 40:
            made[0], done[0] = 4.0 * made[0] + 3.0, 4.0 * done[0] + 3.0
            made[1] = 0.0
            done[2] += 5.0
            measured[3] = kept[40][3]
            measured[4] = kept[30 + t % 7][4]
            bounds[5] = 30.0 * (t % 50 == 0)
        made[rng.random(CHILDREN) < missing] = np.nan
        done[rng.random(CHILDREN) < missing] = np.nan
        yield (
            rng.random(CHILDREN) > missing,
            made,
            done,
            missed,
            0.6 * planned,
            1.5 * planned,
            bounds,
            measured,
        )


@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize(
    "options",
    [
        LieOptions(warm=3),
        LieOptions(decays=(0.5,), spread=2.0, slack=1.0, slack_rate=0.0, noise=0.0, warm=0, hold=3, limit=6.0),
        LieOptions(decays=(0.0, 0.9), repeat=20.0, forget=0.0, prints=4, most_share=0.2, calm=1.0, hold=1),
    ],
)
def test_evidence_reasons_and_quarantine(options: LieOptions, missing: float) -> None:
    ours, naive = LieWatch(CHILDREN, options), Watch(CHILDREN, options)
    seen: set[str] = set()
    for row in reports(5, missing):
        before = ours.out
        changed = ours.push(*row)
        naive.push(*row)
        np.testing.assert_array_equal(changed, ours.out != before)
        np.testing.assert_allclose(ours.evidence, [c.evidence for c in naive.children], rtol=1e-9, atol=1e-9)
        assert [ours.reason(k) for k in range(CHILDREN)] == [REASONS[c.out] for c in naive.children]
        seen |= {ours.reason(k) for k in range(CHILDREN)}
    assert len(seen) >= 3


def test_all_repeating_at_once_are_coarse_sensors() -> None:
    watch, naive = LieWatch(CHILDREN, LieOptions()), Watch(CHILDREN, LieOptions())
    ones = np.ones(CHILDREN)
    for _ in range(50):
        row = (ones > 0, ones, ones, 0 * ones, 0.5 * ones, 2.0 * ones, 0 * ones, np.ones((CHILDREN, WIDTH)))
        watch.push(*row)
        naive.push(*row)
    assert not watch.out.any()
    assert watch.repeating == 1.0
    assert not any(child.out for child in naive.children)
