"""What the guard lets through, in the plant: faults, proposals, and plants with and without what it applied.

A case is a world, a fault in the plant and a twin that believes what it was told, each by seed:

    0 … 10 s    all is well
    10 s        the fault: a link, two links, a server or a node; the spread of the KPI from second to second, about its
                means before and after, is its error
    14 s        the twin believes a cause: with probability `mistaken` another one of the same kind, and it knows how
                often it is mistaken and what for (`OneOf`); its rates and background are off by what it says of
                itself; all candidates against the believed cause are proposed
    then        the guard tries them by `FlowModel`, applies or not, watches, rolls back; until 20 s

Measured each second: `plant_utility`. The same plant without any action (same seed, same draws by device) says what
would have been: an applied action is *worse in the plant* when its mean utility over the whole seconds in which it was
in force is below that. What was rolled back is played a third time, left in force: what that would have cost is harm
prevented, what it would have brought gain forgone (sums over cases of means over the seconds after). The guard's
calibration goes on from case to case, as if they were ten minutes apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.candidates import candidates
from tiertwin.functions.heal.feasible import Rules
from tiertwin.functions.heal.flowmodel import Belief, Doubt, FlowModel, OneOf, dealt
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.guard import Guard
from tiertwin.orchestrate.guardbook import Calibration, Outcome
from tiertwin.orchestrate.guardwords import (
    SECOND,
    Apply,
    Audit,
    Confirmed,
    Effect,
    Event,
    Fired,
    GuardSettings,
    Measured,
    Proposal,
    Proposed,
    Scored,
    Try,
    Undo,
    Wake,
)
from tiertwin.plant import SimulatedPlant
from tiertwin.plant.remedies import Remedies
from tiertwin.runtime.measure import plant_utility
from tiertwin.world.objective import offered_tasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]

SHARES = (0.04, 0.4, 0.3, 0.26)  # of every group's tasks by tier: the standing set-points of all cases
FAULT_S, TOLD_S, END_S = 10, 14, 20
NEVER = 1e9  # standard deviations: a guard that takes nothing back
BETWEEN_S = 600  # from case to case, for how long ago something was learned
FAULTS = ("link", "links", "server", "node")


@dataclass(frozen=True)
class Case:
    """One fault in one plant.

    Parameters
    ----------
    seed
        Of everything in it.
    causes
        What is wrong in the plant.
    believed
        What the twin thinks is wrong.
    other
        What it thinks it might be instead.
    """

    seed: int
    causes: tuple[Cause, ...]
    believed: tuple[Cause, ...]
    other: tuple[Cause, ...]

    @property
    def mistaken(self) -> bool:
        """Whether the twin believes something else than what is."""
        return self.causes != self.believed


@dataclass(eq=False)
class Story:
    """What happened in one case.

    Parameters
    ----------
    utility
        Each second with the guard, [seconds].
    audits
        The guard's book.
    applied, undone
        Time of `Apply` and of the `Undo`, ns; -1: none.
    """

    utility: list[float] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    applied: int = -1
    undone: int = -1


def case_of(world: World, seed: int, mistaken: float) -> Case:
    """Draw a case."""
    random = np.random.Generator(np.random.Philox(key=[seed, 7]))
    all_causes = list(causes_of(world, {}))
    kind = FAULTS[int(random.integers(len(FAULTS)))]
    used = np.unique(np.concatenate([*world.route_site_links, *world.route_fog_links]) // 2)
    pools = {
        "link": [c for c in all_causes if c.kind == "link" and c.links[0] in used],
        "server": [c for c in all_causes if c.kind == "server"],
        "node": [c for c in all_causes if c.kind == "node"],
    }
    pool = pools["link" if kind == "links" else kind]
    picked = random.choice(len(pool), 2, replace=False)
    causes = tuple(pool[k] for k in picked[: 2 if kind == "links" else 1])
    wrong = (pool[(int(picked[0]) + 1) % len(pool)], *causes[1:])
    if random.random() >= mistaken:
        return Case(seed, causes, causes, wrong)
    return Case(seed, causes, wrong, causes)


def fail(plant: SimulatedPlant, world: World, causes: Sequence[Cause]) -> None:
    """Take down in the plant what these causes take down."""
    broken = Broken.of(world, tuple(causes), Degradation())
    for link in np.flatnonzero(broken.links).tolist():
        plant.fail_link(link)
    for server in np.flatnonzero(broken.server_share <= 0.0).tolist():
        plant.fail_server(server)


class _Player:
    """One plant, one guard, second by second."""

    def __init__(
        self, world: World, case: Case, guard: Guard | None, load: float, doubt: Doubt, mistaken: float
    ) -> None:
        self.world, self.case, self.guard, self._load, self._doubt = world, case, guard, load, doubt
        self.remedies = Remedies(SimulatedPlant(world, case.seed), world)
        self.story = Story()
        self._timers: list[Wake] = []
        self._mistaken = mistaken
        self._model: OneOf | None = None
        self._error = 0.0

    def play(self) -> Story:
        shares = np.tile(np.array(SHARES), (self.world.device_count, 1))
        shares *= self._load
        shares[:, 0] += 1.0 - self._load  # quieter servers: the rest stays where it is made
        self.remedies.actuate(np.arange(self.world.device_count, dtype=np.int64), shares)
        for second in range(END_S):
            if second == FAULT_S:
                fail(self.remedies.plant, self.world, self.case.causes)
            if second == TOLD_S and self.guard is not None:
                self._told()
            self._second(second)
        return self.story

    def _second(self, second: int) -> None:
        end = (second + 1) * SECOND
        since = second * SECOND
        self._timers_until(end)
        self.remedies.plant.advance(end, 0)
        value = plant_utility(self.world, self.remedies.plant.kpis())
        self.story.utility.append(value)
        if second == TOLD_S - 1:
            self._error = _spread(self.story.utility)
        if self.guard is not None:
            if self.story.applied >= 0:
                since = max(since, self.story.applied + 1)
            self._tell(Measured(value, self._error, since, end, 0), end)

    def _told(self) -> None:
        """The twin hears of the cause, and proposes what it can think of."""
        assert self.guard is not None
        random = np.random.Generator(np.random.Philox(key=[self.case.seed, 8]))
        off = np.exp(self._doubt.rates * random.standard_normal(self.world.site_count))
        rates = offered_tasks(self.world, 0) * off[:, None, None]
        shares = np.broadcast_to(np.array(SHARES) * self._load, (*rates.shape, len(Tier))).copy()
        shares[..., 0] += 1.0 - self._load
        background = float(self.world.profile_background[0] * np.exp(self._doubt.background * random.standard_normal()))
        beliefs, chances = [self.case.believed, self.case.other], [1.0 - self._mistaken, self._mistaken]
        if not self._mistaken:
            beliefs, chances = beliefs[:1], [1.0]
        broken = [Broken.of(self.world, causes, Degradation()) for causes in beliefs]
        doubts = dealt(self._doubt, chances)
        self._model = OneOf(
            [
                FlowModel(self.world, Belief(rates, shares, one, background), doubt)
                for one, doubt in zip(broken, doubts, strict=True)
            ]
        )
        self.guard.rules = Rules(self.world, broken[0])
        likely = [(cause, chances[0]) for cause in self.case.believed]
        found = candidates(self.world, likely, background=background)
        for candidate in found[1:]:
            self._tell(Proposed(Proposal("healing", candidate.actions, 0, cause=candidate.cause)), TOLD_S * SECOND)

    # -- carrying out what the guard says ------------------------------------------------------------------------------
    def _timers_until(self, end: int) -> None:
        while due := sorted((t for t in self._timers if t.at < end), key=lambda t: t.at):
            self._timers.remove(due[0])
            self._tell(Fired(due[0].name, due[0].serial), due[0].at)

    def _tell(self, event: Event, now: int) -> None:
        assert self.guard is not None
        waiting: list[Event] = [event]
        while waiting:
            for effect in self.guard.handle(waiting.pop(0), now):
                answer = self._carry_out(effect, now)
                if answer is not None:
                    waiting.append(answer)

    def _carry_out(self, effect: Effect, now: int) -> Event | None:
        if isinstance(effect, Wake):
            self._timers.append(effect)
        elif isinstance(effect, Audit):
            self.story.audits.append(effect)
        elif isinstance(effect, Try):
            assert self._model is not None
            scores = tuple(self._model.score(p.actions) for p in effect.proposals)
            return Scored(effect.ticket, self._model.score(()), scores)
        elif isinstance(effect, Apply):
            self.remedies.plant.advance(now, 0)
            self.story.applied = now
            return Confirmed(effect.ticket, self.remedies.apply(effect.ticket, effect.actions))
        elif isinstance(effect, Undo):
            self.remedies.plant.advance(max(now, self.remedies.plant.now_ns), 0)
            self.story.undone = now
            return Confirmed(effect.ticket, self.remedies.undo(effect.ticket), undo=True)
        return None


def guard_study(
    world: World,
    cases: int = 250,
    first_seed: int = 1,
    mistaken: float = 0.2,
    load: float = 1.0,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Play cases and compare what the twin said with what the plant did.

    Parameters
    ----------
    world
        Without a radio access: devices are entities of the plant.
    cases, first_seed
        How many, from which seed on.
    mistaken
        Share of cases in which the twin believes the wrong cause.
    load
        Share of tasks that follow the standing set-points; the rest stays on its device.
    tell
        Called with a line now and then.

    Raises
    ------
    InputError
        Fewer than one case, a share outside 0 … 1, or a world with a radio access.
    """
    if cases < 1 or not 0.0 <= mistaken <= 1.0 or not 0.0 < load <= 1.0:
        raise InputError(f"expected cases ≥ 1 and shares in 0 … 1, got {cases}, {mistaken} and {load}", "guard study")
    if world.grouped:
        raise InputError(f"expected a world without a radio access, got {world.name!r}", "guard study")
    doubt, calibration = Doubt(), Calibration()
    realised = Calibration(most=cases)
    rows: list[dict[str, Any]] = []
    refused: Counter[str] = Counter()
    for k in range(cases):
        case = case_of(world, first_seed + k, mistaken)
        guard = Guard(Rules(world), GuardSettings())
        calibration.age(BETWEEN_S * SECOND)
        guard.calibration = calibration
        before = tuple(calibration.outcomes)
        story = _Player(world, case, guard, load, doubt, mistaken).play()
        refused.update(audit.reason for audit in story.audits if audit.what == "refused")
        row: dict[str, Any] = {"seed": case.seed, "mistaken": case.mistaken, "applied": story.applied >= 0}
        if story.applied >= 0:
            without = _Player(world, case, None, load, doubt, mistaken).play()
            row |= _compared(story, without.utility)
            if row["rolled_back"]:
                stubborn = Guard(Rules(world), replace(GuardSettings(), sigmas=NEVER))
                stubborn.calibration.outcomes.extend(before)
                left = _Player(world, case, stubborn, load, doubt, mistaken).play()
                row["left_gain"] = _after(story, left.utility, without.utility)
            said = next(a for a in story.audits if a.what == "applied").numbers
            realised.add(Outcome(said["worse"], said["gain"], 1.0, row["gain"]))
            row |= {"causes": [c.name for c in case.causes], "error": _spread(without.utility[:TOLD_S])}
            row |= {"predicted_gain": said["gain"], "predicted_worse": said["worse"]}
        rows.append(row)
        if (k + 1) % 25 == 0:
            tell(f"{k + 1} cases, {len(realised.outcomes)} applied")
    return _told_of(rows, realised, refused, calibration)


def _compared(story: Story, without: list[float]) -> dict[str, Any]:
    """Return the mean gain of the whole seconds in force, whether it was rolled back, and what that took."""
    first = story.applied // SECOND + 1
    last = END_S if story.undone < 0 else max(story.undone // SECOND, first + 1)
    paired = np.subtract(story.utility, without)
    kept = any(audit.what == "kept" for audit in story.audits)
    return {
        "gain": float(paired[first:last].mean()),
        "kept": kept,
        "rolled_back": story.undone >= 0,
        "undone_after_s": (story.undone - story.applied) / SECOND if story.undone >= 0 else float("nan"),
    }


def _spread(utility: list[float]) -> float:
    """Return the standard deviation of a second's utility, about the means before and after the fault."""
    parts = [np.array(utility[1:FAULT_S]), np.array(utility[FAULT_S:])]
    squares = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
    return float(np.sqrt(squares / (sum(len(part) for part in parts) - 2)))


def _after(story: Story, left: list[float], without: list[float]) -> float:
    """Return the mean gain, from when it was taken back to the end, had it been left in force."""
    since = story.undone // SECOND
    return float(np.mean(np.subtract(left[since:], without[since:])))


def _told_of(
    rows: list[dict[str, Any]], realised: Calibration, refused: Counter[str], calibration: Calibration
) -> dict[str, Any]:
    applied = [row for row in rows if row["applied"]]
    worse = [row for row in applied if row["gain"] < 0.0]
    signs = [np.sign(row["gain"]) == np.sign(row["predicted_gain"]) for row in applied]

    def share(part: Sequence[Any], of: Sequence[Any]) -> float:
        return len(part) / len(of) if of else float("nan")

    return {
        "cases": len(rows),
        "applied": len(applied),
        "rolled_back": sum(row["rolled_back"] for row in applied),
        "worse": len(worse),
        "worse_share": share(worse, applied),
        "predicted_worse_share": float(np.mean([row["predicted_worse"] for row in applied]))
        if applied
        else float("nan"),
        "worse_and_rolled_back": sum(row["rolled_back"] for row in worse),
        "better_and_rolled_back": sum(row["rolled_back"] for row in applied if row["gain"] >= 0.0),
        "worse_when_mistaken": share([r for r in worse if r["mistaken"]], [r for r in applied if r["mistaken"]]),
        "worse_when_right": share([r for r in worse if not r["mistaken"]], [r for r in applied if not r["mistaken"]]),
        "sign_agreement": float(np.mean(signs)) if signs else float("nan"),
        "brier": realised.brier(),
        "gain_mean": float(np.mean([row["gain"] for row in applied])) if applied else float("nan"),
        "predicted_gain_mean": float(np.mean([row["predicted_gain"] for row in applied])) if applied else float("nan"),
        "harm_prevented": float(sum(max(-row.get("left_gain", 0.0), 0.0) for row in applied)),
        "gain_forgone": float(sum(max(row.get("left_gain", 0.0), 0.0) for row in applied)),
        "undone_after_s": max((r["undone_after_s"] for r in applied if r["rolled_back"]), default=float("nan")),
        "inflation": calibration.inflation(END_S * SECOND),
        "refused": dict(sorted(refused.items())),
        "calibration": realised.table(),
        "rows": rows,
    }
