"""A day of reservations: what forecasts, groups, tiers and patience are worth, window by window.

Every policy sees forecasts alone, reserves, and pays for what is reserved and for what it changes. What is then missing
is counted against the users who came: a window has a *violation* where some tier has less than they need.

    tiers of the day     base station, gateway and core: 2, 6 and 20 ms away, 1, 2 and 4 links; the nearer, the dearer
    groups of the day    vehicles, trains, walkers at work and at home, cameras: how many come by hour, how often they
                         cross areas, and the sizes of their tasks and contexts. Synthetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tiertwin.allocate.families import reservation
from tiertwin.allocate.families.fairness import fairness
from tiertwin.allocate.families.reservation import ReservationAnswer, ReservationProblem
from tiertwin.allocate.families.reservation_kernel import ReservationKernel
from tiertwin.allocate.leaf import Array

HORIZON = 4  # windows over which a change must have paid for itself
SPARE = 1.15  # forecasts are reserved for with so much more

Solve = Callable[[ReservationProblem], ReservationAnswer]


@dataclass(frozen=True, eq=False)
class Day:
    """Forecast and true numbers of users ``[W, G]``, and the problem of a window (its `users` are replaced)."""

    window: ReservationProblem
    forecast: Array
    truth: Array


@dataclass(frozen=True)
class DayOutcome:
    """What a policy's day came to.

    Parameters
    ----------
    policy
        Its name.
    resources, changes
        Cost of what was reserved and of what was changed.
    violations
        Share of windows in which some tier had too little.
    missing
        Mean over windows of the largest missing share of what was needed.
    reconfigurations
        Windows in which anything changed.
    error
        Mean absolute forecast error over the mean number of users.
    gap
        Largest certified gap of a plan made; none where no plan is optimised.
    jain
        Jain's index of the costs of groups a user, at the prices of the plans: how evenly the burden lies.
    """

    policy: str
    resources: float
    changes: float
    violations: float
    missing: float
    reconfigurations: int
    error: float
    gap: float
    jain: float

    @property
    def cost(self) -> float:
        """Resources and changes."""
        return self.resources + self.changes


@dataclass(frozen=True, eq=False)
class _Step:
    share: Array
    reserved: Array
    gap: float


def sample_day(windows: int = 48, seed: int = 1, *, noise: float = 0.08) -> Day:
    """Draw a day: six groups over three tiers; what comes differs from the forecast by `noise`, log-normal.

    Units: Gcycles, Mb, seconds; the price of a window is in units of a Gcycle/s at the base stations.
    """
    rng = np.random.default_rng([seed, windows])
    hour = (np.arange(windows) + 0.5) * 24.0 / windows

    def peak(at: float, width: float) -> Array:
        return np.asarray(np.exp(-0.5 * (np.minimum(abs(hour - at), 24.0 - abs(hour - at)) / width) ** 2))

    commute = 0.15 + peak(8.0, 1.2) + 0.9 * peak(17.5, 1.6)
    work, home = 0.1 + peak(12.5, 3.0), 0.15 + peak(20.5, 2.5)
    shape = np.stack([commute, 0.7 * commute, work, home, np.ones(windows), 0.3 + peak(15.0, 4.0)], axis=1)
    users = shape * np.array([300.0, 200.0, 500.0, 600.0, 80.0, 150.0])
    crossing = np.array([1 / 20, 1 / 40, 1 / 300, 1 / 900, 0.0, 1 / 120])[:, None] * np.array([1.0, 0.15, 0.0])
    window = ReservationProblem(
        users=users[0],
        rate=np.array([1.0, 0.5, 0.5, 0.4, 2.0, 1.0]),
        cycles=np.array([0.1, 0.05, 0.05, 0.08, 0.2, 0.05]),
        bits=np.array([0.2, 0.5, 0.5, 1.0, 4.0, 0.3]),
        context=np.array([16.0, 8.0, 4.0, 4.0, 2.0, 24.0]),
        deadline=np.array([0.03, 0.1, 0.2, 0.2, 0.5, 0.015]),
        path=np.broadcast_to(np.array([0.002, 0.006, 0.02]), (6, 3)),
        moves=crossing,
        hops=np.array([1.0, 2.0, 4.0]),
        capacity=np.array([[250.0, 400.0, np.inf], [8e3, 2e4, np.inf], [3e3, 4e3, 5e3]]),
        price=np.array([[1.0, 0.6, 0.4], [1e-3, 6e-4, 4e-4], [0.02, 0.02, 0.02]]),
        before=np.zeros((3, 3)),
        change=0.5 * np.array([[1.0, 0.6, 0.4], [1e-3, 6e-4, 4e-4], [0.02, 0.02, 0.02]]) * HORIZON,
    )
    return Day(window, users, users * rng.lognormal(0.0, noise, users.shape))


def day_study(day: Day, solve: Solve | None = None) -> list[DayOutcome]:
    """Play every policy over the day.

    ============== ===================================================================================================
    ``twin``        the forecast of each window; changes only where they pay for themselves over `HORIZON` windows
    ``every window`` the best plan of each window as if changes cost nothing
    ``static peak``  one reservation, for every group at the most it is ever forecast
    ``one group``    as the twin, with all users as one group of their means and the strictest deadline
    ``one tier``     as the twin, everybody at the one tier that costs least over the day
    ``no twin``      as the twin, with the last window's users instead of a forecast
    ============== ===================================================================================================
    """
    solver = solve or ReservationKernel().allocate
    last = np.concatenate([day.truth[-1:], day.truth[:-1]])
    return [
        _played("twin", day, day.forecast, _patient(day.window, day.forecast, solver)),
        _played("every window", day, day.forecast, _eager(day.window, day.forecast, solver)),
        _played("static peak", day, day.forecast, _peak(day, solver)),
        _played("one group", day, day.forecast, _one_group(day, solver)),
        _played("one tier", day, day.forecast, _one_tier(day, solver)),
        _played("no twin", day, last, _patient(day.window, last, solver)),
    ]


def _patient(window: ReservationProblem, users: Array, solve: Solve) -> Iterator[_Step]:
    """Change where the saving over the horizon is more than the change costs, or where what there is is too little."""
    held: _Step | None = None
    for coming in users:
        posed = replace(window, users=SPARE * coming)
        if held is None:
            found = solve(replace(posed, before=None, change=None))
            held = _Step(found.share, found.reserved, found.gap)
        else:
            found = solve(replace(posed, before=held.reserved, change=_per_window(window)))
            stays = reservation.worth(replace(posed, before=held.reserved), held.share)
            enough = np.all(posed.need_of(held.share) <= held.reserved * (1 + 1e-9)) and not np.any(stays.overflow > 0)
            saved = float(np.sum(window.price * (held.reserved - found.reserved)))
            if not enough or HORIZON * saved > _changed(window, held.reserved, found.reserved):
                held = _Step(found.share, found.reserved, found.gap)
        yield held


def _eager(window: ReservationProblem, users: Array, solve: Solve) -> Iterator[_Step]:
    for coming in users:
        found = solve(replace(window, users=SPARE * coming, before=None, change=None))
        yield _Step(found.share, found.reserved, found.gap)


def _peak(day: Day, solve: Solve) -> Iterator[_Step]:
    most = SPARE * day.forecast.max(axis=0)
    found = solve(replace(day.window, users=most, before=None, change=None))
    for _ in day.forecast:
        yield _Step(found.share, found.reserved, found.gap)


def _one_group(day: Day, solve: Solve) -> Iterator[_Step]:
    """All users as one group; the shares of that group are those of every group, as far as tiers are open to it."""
    window = day.window
    for step, coming in zip(_merged_steps(day, solve), day.forecast, strict=True):
        share = reservation.fit(window, np.broadcast_to(step.share, window.open.shape).copy())
        need = replace(window, users=SPARE * coming).need_of(share)
        yield _Step(share, np.where(step.reserved > 0, step.reserved, 0.0) + 0.0 * need, step.gap)


def _merged_steps(day: Day, solve: Solve) -> Iterator[_Step]:
    window = day.window
    share = np.maximum(day.forecast.mean(axis=0), 1e-12)
    share = share / share.sum()
    tasks = share * window.rate

    def mean(values: Array, weight: Array) -> Array:
        return np.array([float(values @ weight) / max(float(weight.sum()), 1e-300)])

    merged = ReservationProblem(
        np.array([1.0]), mean(window.rate, share), mean(window.cycles, tasks), mean(window.bits, tasks),
        mean(window.context, share), window.deadline.min(keepdims=True), window.path.max(axis=0)[None],
        (window.moves * share[:, None]).sum(axis=0)[None], window.hops, window.capacity, window.price, window.before,
        window.change,
    )  # fmt: skip
    yield from _patient(merged, day.forecast.sum(axis=1)[:, None], solve)


def _one_tier(day: Day, solve: Solve) -> Iterator[_Step]:
    """The tier at which everybody costs least over the day; groups it cannot answer in time go to the nearest."""
    window, best, tier = day.window, np.inf, 0
    for n in range(window.tiers):
        share = _at(window, n)
        cost = sum(
            reservation.worth(replace(window, users=u, before=None, change=None), share).cost for u in day.forecast
        )
        if cost < best:
            best, tier = cost, n
    only = np.where(_at(window, tier) > 0, window.path, np.inf)
    return _patient(replace(window, path=only), day.forecast, solve)


def _at(window: ReservationProblem, tier: int) -> Array:
    share = np.zeros(window.open.shape)
    share[:, tier] = 1.0
    return reservation.fit(window, share)


def _per_window(window: ReservationProblem) -> Array:
    """What a change costs a window, spread over the horizon in which it has to pay for itself."""
    return np.zeros_like(window.price) if window.change is None else window.change / HORIZON


def _changed(window: ReservationProblem, old: Array, new: Array) -> float:
    return 0.0 if window.change is None else float(np.sum(window.change * np.abs(new - old)))


def _played(policy: str, day: Day, users: Array, steps: Iterator[_Step]) -> DayOutcome:
    resources = changes = 0.0
    short, gaps, moved, held = [], [0.0], 0, None
    burden = np.zeros(day.window.groups)
    for step, coming in zip(steps, day.truth, strict=True):
        true = replace(day.window, users=coming)
        need = true.need_of(step.share)
        missing = np.divide(need - step.reserved, need, out=np.zeros_like(need), where=need > step.reserved)
        short.append(float(missing.max(initial=0.0)))
        resources += float(np.sum(day.window.price * step.reserved))
        if held is not None and not np.array_equal(held, step.reserved):
            moved += 1
            changes += _changed(day.window, held, step.reserved)
        held = step.reserved
        gaps.append(step.gap)
        used = np.einsum("kn,kgn,gn->g", day.window.price, true.per_share, step.share)
        burden += used / np.maximum(coming, 1e-12) / len(day.truth)
    error = float(np.abs(users - day.truth).mean() / day.truth.mean())
    violated = float(np.mean(np.array(short) > 1e-9))
    return DayOutcome(
        policy, resources, changes, violated, float(np.mean(short)), moved, error, max(gaps), fairness(burden).jain
    )
