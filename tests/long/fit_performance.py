"""Fit the coefficients of the performance model (`cpp/perf/config.hpp`) on packet runs.

    python tests/long/fit_performance.py [--packet-hops 8e6] [--kept runs.npz]

Training scenes, disjoint from those that errors are reported on: `tests/support/perf_scenes.py`. Three steps: the
correction of waits on the flows' mean waits; the factors of variance and skewness on their p95 and p99; widths. What
sampling leaves in a flow's mean wait (batch means, `tiertwin.study.packet_truth`) is told apart from what is wrong with
the model: widths maximise the likelihood of the errors given both, an error counting as at most five standard
deviations. Scenes of few flows a link, which are of low confidence, weigh a quarter. Prints the coefficients in the
order of the C++ struct. Some minutes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.perf_scenes import RULES, SIZES, TRAINING_SEED, Scene, make, packet_hops_a_second, training
from tiertwin import _core
from tiertwin.functions.performance import NINETY_PERCENT
from tiertwin.study.fidelity import share_held
from tiertwin.study.packet_truth import Truth, truth

NAMES = (
    "own_fade size_fade smooth_share smooth_memory smooth_sizes joint_variance joint_skew"
    " mean_sd own_sd smooth_sd tail_sd loss_sd burst_sd (as it was)"
)
SEARCH: dict[str, Any] = {"method": "Nelder-Mead", "options": {"maxfev": 200, "xatol": 1e-4, "fatol": 1e-5}}
BETTER_IS_LUCK = 0.01  # of a flow's wait: nothing is fitted to less than that, however long a run
SPREAD = {0.3: 0.02, 0.6: 0.02, 0.8: 0.025, 0.9: 0.05}  # of a flow's quantile: what sampling alone does
LARGEST = 25.0  # squared error over variance: more says that a flow is odd, not how wide all others are
FEW = 0.25  # weight of a scene of low confidence
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
    x[:5] = least_squares(lambda v: waits(plain, put(x, slice(0, 5), v)), x[:5], x_scale=0.3).x
    x[5:7] = least_squares(lambda v: tails(plain, put(x, slice(5, 7), v)), x[5:7]).x
    x[7:10] = minimize(lambda v: unlikely(plain, put(x, slice(7, 10), np.abs(v)), "mean"), x[7:10], **SEARCH).x
    x[10:11] = minimize(lambda v: unlikely(plain, put(x, slice(10, 11), np.abs(v)), "p99"), x[10:11], **SEARCH).x
    x = np.abs(x)
    x[11] = loss_width([Fitted(s, f) for s, f in zip(lossy, runs[len(scenes) :], strict=True)], x)
    for name, value in zip(NAMES.split(), x, strict=False):
        print(f"{name} = {value:.4f}")
    for what in ("mean", "p99"):
        shares = [100 * share_held(f.predict(x), f.found, what) for f in plain]
        print(
            f"nominal 90 % intervals of {what} hold {np.mean(shares):.0f} %, {np.min(shares):.0f} % in the worst scene"
        )
    errors = [np.mean(np.abs(f.predict(x).mean / f.found.mean_s - 1)) for f in plain]
    print(f"mean delay, mean of scenes {100 * np.mean(errors):.2f} %, worst scene {100 * np.max(errors):.2f} %")


class Fitted:
    """A training scene, its model and what its packets did."""

    def __init__(self, scene: Scene, found: Truth) -> None:
        self.scene, self.found, self.model, self.told = scene, found, scene.model(), scene.told()
        self.weight = FEW if self.model.predict(*self.told).low_confidence.mean() > 0.5 else 1.0

    def predict(self, coefficients: Any) -> Any:
        self.model.coefficients = np.ascontiguousarray(coefficients)
        return self.model.predict(*self.told)


def put(x: Any, where: slice, values: Any) -> Any:
    out = x.copy()
    out[where] = values
    return np.clip(out, 0, 100)


def waits(scenes: list[Fitted], x: Any) -> Any:
    """Return the errors of the flows' waits in units of what sampling does, and a little."""
    out = []
    for s in scenes:
        wait = s.found.wait_s
        scale = np.hypot(s.found.sampling_s, BETTER_IS_LUCK * np.maximum(wait, 0.1 * wait.mean()))
        out.append((s.predict(x).wait - wait) / scale * np.sqrt(s.weight / len(wait)))
    return np.concatenate(out)


def tails(scenes: list[Fitted], x: Any) -> Any:
    out = []
    for s in scenes:
        if s.scene.size == "imix":
            continue  # three sizes: another way to the quantile, which does not use these two
        predicted = s.predict(x)
        for error in (predicted.p95 / s.found.p95_s - 1, predicted.p99 / s.found.p99_s - 1):
            known = np.isfinite(error)
            out.append(error[known] / SPREAD[s.scene.load] * np.sqrt(s.weight / known.sum()))
    return np.concatenate(out)


def unlikely(scenes: list[Fitted], x: Any, what: str) -> float:
    """Return minus the logarithm of the likelihood of the errors, of a flow, but for constants."""
    total = 0.0
    for s in scenes:
        p = s.predict(x)
        said, high = getattr(p, what), getattr(p, f"{what}_high")
        true, luck = getattr(s.found, f"{what}_s"), s.found.sampling_s if what == "mean" else s.found.p99_sampling_s
        variance = ((high - said) / NINETY_PERCENT) ** 2 + luck**2
        squares = np.minimum((said - true) ** 2 / variance, LARGEST)
        total += s.weight * float(np.nanmean(np.log(variance / p.wait**2) + squares))
    return total / sum(s.weight for s in scenes)


def loss_width(scenes: list[Fitted], x: Any) -> float:
    """Return the standard deviation of the logarithm of losses above 0.1 %."""
    errors = []
    for s in scenes:
        loss, true = s.predict(x).loss, s.found.loss
        errors.append(np.log(loss[true > 1e-3] / true[true > 1e-3]))
    return float(np.quantile(np.abs(np.concatenate(errors)), 0.9) / 1.645)


def reference(scenes: list[Scene], packet_hops: float, kept: Path | None) -> list[Truth]:
    """Play all scenes, or read what was kept."""
    names = [f.name for f in fields(Truth)]
    if kept is not None and kept.exists():
        rows = np.load(kept, allow_pickle=False)
        return [Truth(**{name: rows[f"{k} {name}"] for name in names}) for k in range(len(scenes))]
    runs = []
    for k, s in enumerate(scenes):
        seconds = packet_hops * (2.5 if s.load > 0.85 else 1) / packet_hops_a_second(s) / 2
        runs.append(truth((s.links, s.flows), 1000 + 2 * k, seconds, seconds / 20))
        if sys.stderr.isatty():
            print(f"\r{k + 1}/{len(scenes)}", end="", file=sys.stderr)
    if kept is not None:
        np.savez(kept, **{f"{k} {name}": getattr(run, name) for k, run in enumerate(runs) for name in names})
    return runs


if __name__ == "__main__":
    main()
