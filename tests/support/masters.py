"""Master problems made by hand."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.messages import UPPER, MasterRequest


def concave_request(seed, kind, *, children=4, levels=3, own=2, slots=6, priced=False):
    """Cuts or points of concave values V_e(r) = Σ_j a_j √(b_j + r_j), so that both models are of a real function."""
    rng = np.random.default_rng(seed)
    a, rmax = rng.uniform(1, 5, (children, levels)), rng.uniform(2, 20, (children, levels))
    at = rng.uniform(0, 1, (children, slots, levels)) * rmax[:, None, :]
    at[:, 0] = 0
    value = (a[:, None] * np.sqrt(1 + at)).sum(axis=2) - 30
    slope = a[:, None] / (2 * np.sqrt(1 + at))
    passed = rmax[:, own:].sum(axis=0)
    return MasterRequest(
        kind=kind,
        level=value - (slope * at).sum(axis=2) if kind == UPPER else value,
        slope=slope if kind == UPPER else at,
        rmax=rmax,
        capacity=rmax[:, :own].sum(axis=0) * rng.uniform(0.3, 0.7, own),
        kappa=rng.uniform(0.1, 2, own),
        quota=np.full(levels - own, np.inf) if priced else passed * rng.uniform(0.2, 0.6),
        price=rng.uniform(0.05, 0.4, levels - own) if priced else np.zeros(levels - own),
    )
