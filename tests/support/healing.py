"""Worlds, beliefs and hostile proposals for the tests of healing and of the guard."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.actions import Action, CompensateCell, FallBack, MoveService, Nothing, Reroute
from tiertwin.functions.heal.flowmodel import Belief, Doubt, FlowModel
from tiertwin.world import load, resolve

SHARES = (0.2, 0.3, 0.3, 0.2)
QUIET = 0.5


@cache
def world_of(name: str) -> Any:
    """Return a built-in world."""
    return resolve(load(name))


def cause_of(name: str, cause: str) -> Cause:
    """Return a cause of a built-in world by its name."""
    return next(c for c in causes_of(world_of(name), {}) if c.name == cause)


def model_of(
    world: Any, *causes: Cause, doubt: Doubt | None = None, degradation: Degradation | None = None
) -> FlowModel:
    """Return the twin's model of the world with these causes in it, on a quiet hour, shares all alike."""
    shares = np.broadcast_to(SHARES, (*world.group_devices.shape, 4)).copy()
    broken = Broken.of(world, causes, degradation or Degradation())
    rates = QUIET * world.group_devices * world.tasks_per_s[:, None]
    return FlowModel(world, Belief(rates.astype(np.float64), shares, broken), doubt)


def random_action(world: Any, random: np.random.Generator) -> Action:
    """Return an action with numbers about right, some a little outside; few of them fit."""
    kind = random.integers(0, 6)
    sites, links = world.site_count, world.link_count
    if kind == 0:
        return Nothing()
    if kind == 1:
        count = int(random.integers(0, 5))
        return Reroute(
            int(random.integers(-1, sites + world.fog_count + 1)),
            tuple(int(k) for k in random.integers(0, 2 * links + 1, count)),
        )
    if kind == 2:
        cells = tuple(int(c) for c in random.integers(0, 80, int(random.integers(0, 4))))
        return CompensateCell(
            int(random.integers(-1, 80)), cells, float(random.normal(0, 5)), float(random.normal(0, 4))
        )
    if kind == 3:
        return FallBack(int(random.integers(-1, links + 1)), float(random.uniform(-0.1, 1.1)))
    tier = random.integers(0, 4, 2)
    return MoveService(
        int(random.integers(0, sites)),
        int(random.integers(0, len(world.class_names))),
        int(tier[0]),
        int(tier[1]),
        float(random.choice([0.1, 0.5, 1.0, 1.0, 1.5, -0.2])),
    )


def crafted(world: Any) -> list[Any]:
    """Return things that are no proposal at all, or contradict themselves."""
    nan, inf = float("nan"), float("inf")
    move = MoveService(0, 0, 1, 2)
    return [
        None,
        "reroute everything",
        [move],
        {},
        (),
        (None,),
        ("route 3",),
        (move,) * 2,
        (move,) * 2000,
        (MoveService(0, 0, 1, 1),),
        (MoveService(0, 0, 1, 2, nan),),
        (MoveService(0, 0, 1, 2, inf),),
        (MoveService(0, 0, 1, 2, -0.5),),
        (MoveService(0, 0, 1, 2, 1.01),),
        (MoveService(0.5, 0, 1, 2),),  # type: ignore[arg-type]
        (MoveService(True, 0, 1, 2),),
        (MoveService(0, 0, 1, 9),),
        (MoveService(-1, 0, 1, 2),),
        (MoveService(10**30, 0, 1, 2),),
        (MoveService(0, 0, 1, 2), MoveService(0, 0, 2, 1)),
        (MoveService(0, 0, 1, 2, 0.5), MoveService(0, 0, 1, 3, 0.5)),
        (Nothing(), move),
        (Reroute(0, ()),),
        (Reroute(0, (0, 0, 0)),),
        (Reroute(0, [0]),),  # type: ignore[arg-type]
        (Reroute(0, tuple(range(100_000))),),
        (Reroute(10**6, (0,)),),
        (Reroute(0, (nan,)),),  # type: ignore[arg-type]
        (FallBack(0, nan),),
        (FallBack(0, 0.0),),
        (FallBack(0, "slow"),),  # type: ignore[arg-type]
        (FallBack(world.link_count, 0.5),),
        (CompensateCell(0, (0,), 3.0),),
        (CompensateCell(0, (1, 1), 3.0),),
        (CompensateCell(0, (), 3.0),),
        (CompensateCell(0, (1,), 60.0),),
        (CompensateCell(0, (1,), nan),),
        (CompensateCell(0, (1,)), CompensateCell(1, (2,))),
    ]
