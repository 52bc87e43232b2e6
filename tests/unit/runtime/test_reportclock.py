"""When nodes report under the real clock: never twice within half an interval, and nothing waits longer than that."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from tiertwin.runtime.reportclock import ReportClock

INTERVAL = 50


def played(arrivals: list[int], until: int, interval: int = INTERVAL, begin: int = 0) -> list[int]:
    """Times of the reports, where records come at `arrivals`; the loop wakes up for both."""
    clock, reports, left = ReportClock(interval), [], sorted(arrivals)
    clock.begin(begin)
    now = begin
    while now <= until:
        while left and left[0] <= now:
            left.pop(0)
            clock.came()
        if clock.due(now):
            reports.append(now)
        now = min([clock.next_ns, *left[:1]])
    return reports


def test_without_news_it_is_the_interval() -> None:
    assert played([], 400, begin=7) == list(range(7, 401, INTERVAL))


def test_what_comes_late_in_an_interval_is_told_at_once_and_the_interval_begins_anew() -> None:
    assert played([30], 200) == [0, 30, 80, 130, 180]


def test_what_comes_early_waits_for_half_an_interval() -> None:
    assert played([3], 120) == [0, 25, 75]


def test_it_falls_into_step_with_one_below_and_is_no_more_frequent() -> None:
    below = list(range(13, 2000, INTERVAL))
    reports = played(below, 1990)
    assert reports[2:] == below[1 : len(reports) - 1]  # from the second on


@pytest.mark.parametrize("seed", range(50))
def test_nothing_waits_longer_than_half_an_interval_and_reports_are_half_an_interval_apart(seed: int) -> None:
    random = Random(seed)
    children = [(random.randrange(INTERVAL), random.choice([20, INTERVAL, 70])) for _ in range(random.randrange(1, 5))]
    arrivals = sorted(at for phase, period in children for at in range(phase, 3000, period))
    reports = played(arrivals, 3100)
    assert all(b - a >= INTERVAL // 2 for a, b in itertools.pairwise(reports))
    assert all(b - a <= INTERVAL for a, b in itertools.pairwise(reports))
    for at in arrivals:
        told = next(report for report in reports if report >= at)
        assert told - at <= INTERVAL // 2


def test_a_loop_that_was_late_reports_once_and_goes_on() -> None:
    clock = ReportClock(INTERVAL)
    clock.begin(0)
    assert clock.due(0)
    assert clock.due(500)
    assert clock.next_ns == 500
    assert clock.due(500)  # a tick that is behind is made up for once, as before
    assert not clock.due(501)


class Free(ReportClock):
    """Ticks of its own, whatever comes: what there was before."""

    def came(self) -> None:
        """Nothing."""


def ages_at_the_root(kind: type[ReportClock], seed: int, way: tuple[int, int]) -> list[int]:
    """Age of the oldest sample at a root, ms, each millisecond of 3 s: plant, 2 gateways, 3 edges, 3 fogs out of step.

    60 devices sample every 50 ms and their reports are `way` under way; each process tells the oldest of what it has.
    """
    random = Random(seed)
    below = {"gateway": ["plant"] * 2, "edge": ["gateway-0", "gateway-1"] * 2, "fog": ["edge-0", "edge-1", "edge-2"]}
    above: dict[str, list[str]] = {}
    for tier, children in below.items():
        for k in range(2 if tier == "gateway" else 3):
            above.setdefault(children[k % len(children)], []).append(f"{tier}-{k}")
    above |= {f"fog-{k}": ["root"] for k in range(3)} | {"gateway-1": ["edge-1"], "gateway-0": ["edge-0", "edge-2"]}
    clocks = {name: kind(INTERVAL) for name in ["plant", *(name for names in above.values() for name in names)]}
    clocks.pop("root")
    for clock in clocks.values():
        clock.begin(random.randrange(INTERVAL))
    held: dict[str, dict[str, int]] = {name: {} for name in [*clocks, "root"]}
    devices = [(random.randrange(INTERVAL), 0) for _ in range(60)]
    flying: list[tuple[int, int, int]] = []
    newest = [0] * len(devices)
    ages = []
    for now in range(3500):
        flying += [
            (now + random.randint(*way), d, now) for d, (phase, _) in enumerate(devices) if now % INTERVAL == phase
        ]
        for at, d, sampled in [item for item in flying if item[0] <= now]:
            newest[d] = max(newest[d], sampled)
            flying.remove((at, d, sampled))
        for name, clock in clocks.items():
            if not clock.due(now):
                continue
            told = min(newest) if name == "plant" else min(held[name].values(), default=0)
            for parent in above[name]:
                held[parent][name] = told
                if parent != "root":
                    clocks[parent].came()
        if now >= 500:
            ages.append(now - min(held["root"].values(), default=0))
    return ages


@pytest.mark.parametrize("way", [(0, 20), (20, 80)])
def test_ages_at_the_root_are_lower_than_with_ticks_out_of_step(way: tuple[int, int]) -> None:
    quantiles = []
    for kind in (Free, ReportClock):
        ages = sorted(age for seed in range(12) for age in ages_at_the_root(kind, seed, way))
        quantiles.append(ages[int(0.99 * len(ages))])
    free, in_step = quantiles
    assert in_step <= free - INTERVAL // 2, f"{free} ms, in step {in_step} ms"
