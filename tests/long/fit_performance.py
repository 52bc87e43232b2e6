"""Fit the coefficients of the performance model (`cpp/perf/config.hpp`) on packet runs over the training topologies.

    python tests/long/fit_performance.py [--packet-hops 8e6] [--kept runs.npz]

Training scenes, disjoint from those that errors are reported on: `tests/support/perf_scenes.py`. Three steps: the
correction of waits on the flows' mean delays; the factors of variance and skewness on their p99; widths, so that
nominal 90 % intervals hold 90 % of the training flows. Prints the coefficients in the order of the C++ struct. Some
minutes.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.perf_scenes import RULES, SIZES, TRAINING_SEED, Found, Scene, make, play, training
from tiertwin import _core

NAMES = (
    "own_fade smooth_share smooth_split smooth_load joint_variance joint_skew"
    " mean_sd factor_sd tail_sd loss_sd burst_sd (as it was)"
)
WIDTHS: dict[str, Any] = {"method": "Nelder-Mead", "options": {"maxfev": 40}}
SPREAD = {0.3: 0.02, 0.6: 0.02, 0.8: 0.025, 0.9: 0.05}  # of a flow's wait: what sampling alone does
LOSSY = [
    ("sndlib/polska", rule, size, load, buffer)
    for rule, size, (load, buffer) in product(RULES, SIZES, ((0.9, 20), (0.8, 5)))
]


def main() -> None:
    """Play, fit, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--packet-hops", type=float, default=8e6, help="a scene; 2.5 times that at load 0.9")
    options.add_argument("--kept", type=Path, help="file that keeps the runs for another fit")
    given = options.parse_args()
    scenes = [make(name, rule, size, load, flows, seed=TRAINING_SEED) for name, flows, rule, size, load in training()]
    lossy = [make(name, rule, size, load, 250, buffer=b, seed=TRAINING_SEED) for name, rule, size, load, b in LOSSY]
    runs = reference([*scenes, *lossy], given.packet_hops, given.kept)
    plain = [Fitted(s, f) for s, f in zip(scenes, runs[: len(scenes)], strict=True)]
    x = _core.perf_coefficients()
    x[:4] = least_squares(lambda v: waits(plain, put(x, slice(0, 4), v)), x[:4]).x
    x[4:6] = least_squares(lambda v: tails(plain, put(x, slice(4, 6), v)), x[4:6]).x
    x[6:8] = minimize(lambda v: missed(plain, put(x, slice(6, 8), np.abs(v)), "mean"), (0.01, 0.3), **WIDTHS).x
    x[8:9] = minimize(lambda v: missed(plain, put(x, slice(8, 9), np.abs(v)), "p99"), (0.03,), **WIDTHS).x
    x = np.abs(x)
    x[9] = loss_width([Fitted(s, f) for s, f in zip(lossy, runs[len(scenes) :], strict=True)], x)
    for name, value in zip(NAMES.split(), x, strict=False):
        print(f"{name} = {value:.4f}")
    for what in ("mean", "p99"):
        held = [100 * inside(f, x, what) for f in plain]
        print(f"nominal 90 % intervals of {what} hold {np.mean(held):.0f} %, {np.min(held):.0f} % in the worst scene")
    errors = [np.mean(np.abs(f.predict(x).mean / f.found.mean - 1)) for f in plain]
    print(f"mean delay, mean of scenes {100 * np.mean(errors):.2f} %, worst scene {100 * np.max(errors):.2f} %")


class Fitted:
    """A training scene, its model and its run."""

    def __init__(self, scene: Scene, found: Found) -> None:
        self.scene, self.found, self.model, self.told = scene, found, scene.model(), scene.told()
        self.fixed = found.mean  # replaced below: the part that is no wait
        nominal = self.model.predict(*self.told)
        self.fixed = nominal.mean - nominal.wait

    def predict(self, coefficients: Any) -> Any:
        self.model.coefficients = np.ascontiguousarray(coefficients)
        return self.model.predict(*self.told)


def put(x: Any, where: slice, values: Any) -> Any:
    out = x.copy()
    out[where] = values
    return np.clip(out, 0, 100)


def waits(scenes: list[Fitted], x: Any) -> Any:
    """Return the errors of the flows' waits in units of what sampling does; every scene weighs the same."""
    out = []
    for s in scenes:
        wait = s.found.mean - s.fixed
        scale = SPREAD[s.scene.load] * np.maximum(wait, 0.1 * wait.mean()) * np.sqrt(len(wait))
        out.append((s.predict(x).mean - s.found.mean) / scale)
    return np.concatenate(out)


def tails(scenes: list[Fitted], x: Any) -> Any:
    out = []
    for s in scenes:
        if s.scene.size == "imix":
            continue  # three sizes: another way to the quantile, which does not use these two
        predicted = s.predict(x)
        for error in (predicted.p99 / s.found.p99 - 1, predicted.sd / s.found.sd - 1):
            known = np.isfinite(error)
            out.append(error[known] / SPREAD[s.scene.load] / np.sqrt(known.sum()))
    return np.concatenate(out)


def missed(scenes: list[Fitted], x: Any, what: str) -> float:
    """Return how far the share of flows that intervals hold is from 90 %, over all scenes and in each, squared."""
    held = np.array([inside(s, x, what) for s in scenes])
    return float(10 * (held.mean() - 0.9) ** 2 + np.mean((held - 0.9) ** 2))


def inside(s: Fitted, x: Any, what: str) -> float:
    p, true = s.predict(x), getattr(s.found, what)
    known = np.isfinite(true)
    return float(((getattr(p, f"{what}_low") <= true) & (true <= getattr(p, f"{what}_high")))[known].mean())


def loss_width(scenes: list[Fitted], x: Any) -> float:
    """Return the standard deviation of the logarithm of losses above 0.1 %."""
    errors = []
    for s in scenes:
        loss, true = s.predict(x).loss, s.found.loss
        errors.append(np.log(loss[true > 1e-3] / true[true > 1e-3]))
    return float(np.quantile(np.abs(np.concatenate(errors)), 0.9) / 1.645)


def reference(scenes: list[Scene], packet_hops: float, kept: Path | None) -> list[Found]:
    """Play all scenes, or read what was kept."""
    if kept is not None and kept.exists():
        rows = np.load(kept, allow_pickle=False)
        return [Found(*rows[str(k)][:5], float(rows[str(k)][5, 0])) for k in range(len(scenes))]
    runs = []
    for k, s in enumerate(scenes):
        runs.append(play(s, packet_hops * (2.5 if s.load > 0.85 else 1), 1000 + k))
        if sys.stderr.isatty():
            print(f"\r{k + 1}/{len(scenes)}", end="", file=sys.stderr)
    if kept is not None:
        rows = {
            str(k): np.stack([f.mean, f.sd, f.p99, f.loss, f.received, np.full_like(f.mean, f.seconds)])
            for k, f in enumerate(runs)
        }
        np.savez(kept, **rows)  # type: ignore[arg-type]
    return runs


if __name__ == "__main__":
    main()
