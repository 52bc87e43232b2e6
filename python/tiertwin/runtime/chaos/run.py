"""A whole run: the tree, the plan, the faults, the report; what `tiertwin chaos` and the soak have in common."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from tiertwin.errors import InputError
from tiertwin.runtime.chaos.network import missing
from tiertwin.runtime.chaos.plan import KINDS, cells_of, faults, playable
from tiertwin.runtime.chaos.play import Player
from tiertwin.runtime.chaos.report import report
from tiertwin.runtime.chaos.tree import ChaosTree, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from tiertwin.runtime.chaos.plan import Fault, Kind


@dataclass(frozen=True)
class Asked:
    """How much is played.

    Parameters
    ----------
    kinds
        Which faults.
    count, seconds
        So many faults, or as many as begin within so many seconds; both None: one of each kind at each tier.
    spare
        Processes that no fault shall end.
    spacing_s
        Least time between a recovery and the next fault.
    """

    kinds: Sequence[Kind] = KINDS
    seed: int = 1
    count: int | None = None
    seconds: float | None = None
    spare: Collection[str] = ()
    spacing_s: float = 0.0


def play(
    wanted: Wanted,
    asked: Asked,
    folder: Path,
    tell: Callable[[str], None],
    during: Callable[[ChaosTree], None] | None = None,
) -> dict[str, Any]:
    """Start the tree, play the faults, end it; return the report.

    Ctrl-C ends it in order: the report is of what was played, its ``interrupted`` is True. `during` is called at
    every turn of the tree's loop.

    Raises
    ------
    InputError
        Nothing that was asked for can be played here.
    ProcessError
        The tree did not come up, or its plant is gone.
    """
    network = any(kind.network for kind in asked.kinds)
    kinds, skipped = playable(asked.kinds, durable=wanted.durable, no_network=missing() if network else "")
    for name, why in skipped.items():
        tell(f"SKIPPED {name}: {why}")
    if not kinds:
        raise InputError(f"nothing to play: {'; '.join(f'{name}: {why}' for name, why in skipped.items())}")
    with_network = any(kind.network for kind in kinds)
    tree = ChaosTree(Wanted(**(vars(wanted) | {"network": with_network})), folder)
    player: Player | None = None
    interrupted = False
    try:
        with tree:
            player = Player(tree, tell)
            tree.each_turn = during
            began = time.monotonic()
            try:
                for fault in _wanted(asked, kinds, tree):
                    if asked.seconds is not None and time.monotonic() - began >= asked.seconds:
                        break
                    player.play(fault)
                player.settle()
            except KeyboardInterrupt:
                interrupted = True
                player.count_missed()
    except KeyboardInterrupt:
        interrupted = True
    if player is None:
        raise KeyboardInterrupt
    found = report(player.played, skipped, tree.killed)
    return found | {"interrupted": interrupted, "seed": asked.seed, "counted": asdict(tree.ledger.counts)}


def _wanted(asked: Asked, kinds: Sequence[Kind], tree: ChaosTree) -> Iterator[Fault]:
    targets = tree.targets()
    endless = faults(kinds, targets, asked.seed, asked.spare, asked.spacing_s)
    if asked.count is None and asked.seconds is not None:
        return endless
    return islice(endless, cells_of(kinds, targets, asked.spare) if asked.count is None else asked.count)
