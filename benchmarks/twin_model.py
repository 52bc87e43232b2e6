"""The twin's performance model against long packet runs: errors beside the best textbook formula's, and its speed.

Reference: `PacketPlant`, shown equal to ns-3 packet by packet. Topologies of topohub that the model's coefficients
were not fitted on (`tests/support/perf_scenes.py`), 1000 flows, both rules for rates, three size laws, four loads. By
scene: error of flows' mean delays (mean of absolute relative errors), of their waits alone (sum of errors over sum of
waits), of p99; peer: the best of M/M/1, M/G/1 and G/G/1 on that very scene (`tiertwin.study.textbook`), chosen
afterwards with the truth in hand. Then: share of flows that nominal 90 % intervals hold; losses with 20 places; signs
of changes beyond 2 %; scenes with few flows a link and bursty ones, all of low confidence; calibration; predictions a
second.

References are sampled (`tiertwin.study.packet_truth`): at load 0.9 a flow's mean is good to some percent, and that is
part of every error. `--quick` plays
eight scenes, shorter. Errors are no timings: nothing of them depends on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from support import Case, main
from tiertwin.functions.performance import Observed, PathFlows, Prediction, on_off
from tiertwin.study.fidelity import share_held
from tiertwin.study.packet_truth import Truth, truth
from tiertwin.study.textbook import Textbook

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
scenes: Any = import_module("tests.support.perf_scenes")

FLOWS = 1000
FEWER = {"sndlib/abilene": 300}  # in short runs: a flow needs packets
QUICK = (
    ("sndlib/germany50", "each", "exponential", 0.8),
    ("sndlib/germany50", "common", "fixed", 0.6),
    ("sndlib/abilene", "each", "fixed", 0.9),
    ("sndlib/abilene", "common", "imix", 0.3),
    ("sndlib/abilene", "each", "imix", 0.6),
    ("topozoo/Geant2012", "each", "imix", 0.8),
    ("topozoo/Geant2012", "common", "exponential", 0.9),
    ("topozoo/Geant2012", "each", "fixed", 0.3),
)
MEAN_TARGET = {0.3: 5.0, 0.6: 5.0, 0.8: 5.0, 0.9: 10.0}  # %
P99_TARGET = 15.0
LEAST_CHANGE = 0.02


@dataclass(frozen=True)
class Judged:
    """One scene: what the plant found, what the model says, what textbooks say."""

    scene: Any
    found: Truth
    predicted: Prediction
    books: dict[str, tuple[Any, Any]]  # mean, p99

    def errors(self, mean: Any, p99: Any) -> tuple[float, float, float]:
        """Return the errors of means, waits and p99, %."""
        true = self.found.mean_s
        return (
            100 * float(np.mean(np.abs(mean / true - 1))),
            100 * float(np.sum(np.abs(mean - true)) / np.sum(self.found.wait_s)),
            100 * float(np.nanmean(np.abs(p99 / self.found.p99_s - 1))),
        )

    def ours(self) -> tuple[float, float, float]:
        return self.errors(self.predicted.mean, self.predicted.p99)

    def theirs(self) -> tuple[float, float, float]:
        """Return the errors of the textbook formula that has the smallest of means, each kind its own best."""
        found = np.array([self.errors(*book) for book in self.books.values()]).min(axis=0)
        return float(found[0]), float(found[1]), float(found[2])

    def held(self) -> tuple[float, float]:
        """Return the shares of flows whose mean and p99 lie in the nominal 90 % intervals, %.

        They are widened by what sampling leaves in the truth.
        """
        mean, p99 = (100 * share_held(self.predicted, self.found, what) for what in ("mean", "p99"))
        return mean, p99


def flows_of(name: str, quick: bool) -> int:
    return FEWER.get(name, FLOWS) if quick else FLOWS


def judge(made: Any, packet_hops: float, seed: int) -> Judged:
    model, told = made.model(), made.told()
    seconds = packet_hops / scenes.packet_hops_a_second(made) / 2  # of each of two runs
    return Judged(
        made,
        truth((made.links, made.flows), seed, seconds, seconds / 20),
        model.predict(*told),
        {name: (book.mean, book.p99) for name, book in Textbook(model, *told).answers().items()},
    )


def cases(quick: bool) -> Iterator[Case]:
    judged = []
    wanted = QUICK if quick else list(product(scenes.TEST, scenes.RULES, scenes.SIZES, scenes.LOADS))
    hops = 6e6 if quick else 2e7
    for k, (name, rule, size, load) in enumerate(wanted):
        made = scenes.make(name, rule, size, load, flows_of(name, quick))
        judged.append(judge(made, hops * (2.5 if load > 0.85 else 1), 100 + 2 * k))
        yield from of_scene(judged[-1])
    yield from of_all(judged)
    yield from signs(quick)
    yield from losses(quick)
    yield from doubtful(quick)
    yield from calibrated(quick)
    yield speed()


def figure(
    name: str,
    ours: float,
    unit: str,
    target: float | None,
    peer: float | None = None,
    *,
    less: bool = True,
    peer_name: str = "best textbook formula",
) -> Case:
    """Return a case that reports a figure measured before."""
    return Case(
        f"twin_model/{name}",
        lambda: ours,
        None if peer is None else lambda: peer,
        peer_name if peer is not None else "target" if target is not None else "reported",
        lambda *_: None,
        unit,
        target=target,
        figure=float,
        less=less,
    )


def of_scene(one: Judged) -> Iterator[Case]:
    s = one.scene
    name = f"{s.name.split('/')[-1]}/{s.rule}-{s.size}/{s.load}"
    ours, theirs = one.ours(), one.theirs()
    assert np.isfinite(one.found.mean_s).all(), "a flow received nothing: play longer"
    # timed: the prediction itself, so that its CPU seconds stand beside the errors
    model, told = s.model(), s.told()

    def check(ours: Any, _: Any) -> None:
        assert one.errors(ours.mean, ours.p99) == one.ours()

    yield Case(
        f"twin_model/mean/{name}",
        lambda: model.predict(*told),
        lambda: theirs[0],
        "best textbook formula",
        check,
        "% of delay",
        figure=lambda answer: (
            one.errors(answer.mean, answer.p99)[0] if isinstance(answer, Prediction) else float(answer)
        ),
        less=True,
    )
    yield figure(f"wait/{name}", ours[1], "% of wait", None, theirs[1])
    yield figure(f"p99/{name}", ours[2], "% of p99", None, theirs[2])


def of_all(judged: list[Judged]) -> Iterator[Case]:
    """Worst scene by rule of the targets, and intervals over all scenes."""
    for load in scenes.LOADS:
        here = [j for j in judged if j.scene.load == load]
        if here:
            yield figure(f"mean-worst/{load}", max(j.ours()[0] for j in here), "% of delay", MEAN_TARGET[load])
            if load < 0.9:
                yield figure(f"p99-worst/{load}", max(j.ours()[2] for j in here), "% of p99", P99_TARGET)
    better = sum(j.ours()[0] < j.theirs()[0] for j in judged)
    yield figure("scenes-better-than-textbook", float(better), "scenes", float(len(judged)), less=False)
    held = np.array([j.held() for j in judged])
    for k, what in enumerate(("mean", "p99")):
        yield figure(f"interval-holds/{what}", float(held[:, k].mean()), "% of flows", 90.0, less=False)
        yield figure(f"interval-holds-least/{what}", float(held[:, k].min()), "% of flows", None, less=False)


def signs(quick: bool) -> Iterator[Case]:
    """Of the flows whose mean delay changes by more than 2 %: how many change in the direction predicted."""
    for name, rule, size in (("sndlib/abilene", "each", "exponential"), ("sndlib/germany50", "each", "imix"))[
        : 1 if quick else 2
    ]:
        made = scenes.make(name, rule, size, 0.6, flows_of(name, quick))
        hops = 6e6 if quick else 2e7
        before, expected = scenes.play(made, hops, 7), made.model().predict(*made.told())
        right = total = 0
        for changed in scenes.changes(made).values():
            true = scenes.play(changed, hops, 7).mean / before.mean - 1
            said = changed.model().predict(*changed.told()).mean / expected.mean - 1
            large = np.abs(true) > LEAST_CHANGE
            right += int(np.sum(np.sign(true[large]) == np.sign(said[large])))
            total += int(large.sum())
        yield figure(f"signs/{name.split('/')[-1]}/{rule}-{size}", right / total, f"of {total} flows", 0.95, less=False)


def losses(quick: bool) -> Iterator[Case]:
    """Network loss and worst flow's, points, with 20 places besides the one that is sent."""
    wanted = list(product(scenes.TEST, scenes.SIZES))
    for name, size in wanted[1:5:3] if quick else wanted:
        made = scenes.make(name, "each", size, 0.9, flows_of(name, quick), buffer=20)
        found, predicted = scenes.play(made, 4e6 if quick else 2e7, 11), made.model().predict(*made.told())
        off = 100 * np.abs(predicted.loss - found.loss)
        where = f"{name.split('/')[-1]}/each-{size}"
        print(f"{where}: loss {100 * found.loss.mean():.2f} % mean of flows", file=sys.stderr)
        yield figure(f"loss/{where}", float(off.mean()), "points, mean of flows", 0.5)
        yield figure(f"loss-worst-flow/{where}", float(off.max()), "points", None)


def doubtful(quick: bool) -> Iterator[Case]:
    """Reported whatever they give: few flows a link, and on-off sources. All must carry the flag."""
    few = scenes.make("sndlib/germany50", "each", "exponential", 0.8, 100)
    one = judge(few, 6e6 if quick else 4e7, 13)
    yield figure("low-confidence/few-flows/mean", one.ours()[0], "% of delay", None, one.theirs()[0])
    yield figure(
        "low-confidence/few-flows/flagged",
        100 * float(one.predicted.low_confidence.mean()),
        "% of flows",
        None,
        less=False,
    )
    bursty, told = on_off_scene(0.6)
    found, predicted = scenes.play(bursty, 6e6 if quick else 4e7, 17), bursty.model().predict(*told)
    wrong, poisson = mean_error(predicted, found), mean_error(bursty.model().predict(*bursty.told()), found)
    yield figure("low-confidence/bursty/mean", wrong, "% of delay", None, poisson, peer_name="told they were Poisson")
    yield figure(
        "low-confidence/bursty/flagged", 100 * float(predicted.low_confidence.mean()), "% of flows", None, less=False
    )


def on_off_scene(load: float) -> tuple[Any, tuple[Any, PathFlows]]:
    """Return on-off flows over Abilene, and what a model is told that knows they are."""
    made = scenes.make("sndlib/abilene", "each", "exponential", load, 300, arrival="on-off", on_s=0.05, off_s=0.05)
    links, flows = made.told()
    ca2, burst = on_off(flows.pps, 0.05, 0.05)
    return made, (links, PathFlows(flows.pps, flows.sizes, ca2, burst))


def mean_error(predicted: Prediction, found: Any) -> float:
    return 100 * float(np.mean(np.abs(predicted.mean / found.mean - 1)))


def calibrated(quick: bool) -> Iterator[Case]:
    """On-off flows of which the model is told they were Poisson: learn at one load and seed, predict at others."""
    hops = 4e6 if quick else 2e7
    learnt, _ = on_off_scene(0.6)
    model = learnt.model()
    window = scenes.play(learnt, hops, 19)
    model.calibrate(*learnt.told(), Observed(window.seconds, window.mean, window.received))
    for load in (0.6, 0.7, 0.5):
        other, _ = on_off_scene(load)
        found = scenes.play(other, hops, 23)
        fork = other.model()
        fork.state = model.fork().state
        before, after = other.model().predict(*other.told()), fork.predict(*other.told())
        held = 100 * float(np.mean((after.mean_low <= found.mean) & (found.mean <= after.mean_high)))
        yield figure(
            f"calibrated/0.6-to-{load}/mean",
            mean_error(after, found),
            "% of delay",
            None,
            mean_error(before, found),
            peer_name="uncalibrated",
        )
        yield figure(f"calibrated/0.6-to-{load}/interval-holds", held, "% of flows", 90.0, less=False)


def speed() -> Case:
    """Path predictions a second on one core: flows in one evaluation over its CPU time."""
    made = scenes.make("sndlib/germany50", "each", "exponential", 0.8, 1000)
    model, told = made.model(), made.told()
    return Case(
        "twin_model/speed/germany50/1000",
        lambda: model.predict(*told),
        None,
        "target",
        lambda ours, _: None,
        "path predictions/s",
        amount=1000.0,
        target=1e5,
    )


if __name__ == "__main__":
    main(__doc__ or "", cases)
