"""Which faults there are, and a plan of them that a seed decides."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tiertwin.errors import UnknownNameError, suggest
from tiertwin.runtime.processes import TIERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

POOL, CABLE = "solver", "edge-fog"  # where a fault is, besides the tiers


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Parameters
    ----------
    where
        Tiers, or :data:`POOL`, or :data:`CABLE`.
    promises
        Which must hold through it, by their numbers.
    seconds
        Least and most that it lasts; zeros: it is over at once.
    ends
        Its process ends and comes back.
    durable, network
        Needs logs; needs namespaces of the network.
    told
        Event that the log of its process must have of it; empty: none.
    """

    name: str
    about: str
    where: tuple[str, ...]
    promises: tuple[int, ...]
    seconds: tuple[float, float] = (0.0, 0.0)
    ends: bool = False
    durable: bool = False
    network: bool = False
    told: str = ""


_STATE = (1, 2, 3, 5, 6)
KINDS = (
    Kind("kill", "kill -9", TIERS, (*_STATE, 4), ends=True),
    Kind("pause", "SIGSTOP, then SIGCONT", TIERS, _STATE, (0.5, 5.0)),
    Kind("stop", "SIGTERM, then started again", TIERS, (*_STATE, 4, 15), ends=True),
    Kind("solver-kill", "kill -9 of a solver", (POOL,), (4, 5, 7), ends=True),
    Kind("solver-pause", "SIGSTOP of a solver", (POOL,), (4, 5, 7), (2.0, 5.0)),
    Kind("disk-full", "no room for a node's log", TIERS, (*_STATE, 13), (1.0, 4.0), durable=True, told="disk back"),
    Kind(
        "sync-error",
        "the next sync of a node's log fails",
        TIERS,
        (*_STATE, 4, 13),
        ends=True,
        durable=True,
        told="disk lost",
    ),
    Kind(
        "torn-log", "kill -9, garbage behind a node's log", TIERS, (*_STATE, 4, 13), ends=True, durable=True, told="log"
    ),
    Kind(
        "damaged-log",
        "kill -9, a bit of a node's log flipped",
        TIERS,
        (2, 3, 4, 5, 6, 13),
        ends=True,
        durable=True,
        told="log",
    ),
    Kind("stranger", "garbage, and a key that is not listed, at a node's door", TIERS, (3, 5, 9), (1.0, 3.0)),
    Kind("partition", "the cable between edges and fogs cut", (CABLE,), _STATE, (2.0, 8.0), network=True),
    Kind("partition-up", "what edges send is lost", (CABLE,), _STATE, (2.0, 8.0), network=True),
    Kind("partition-down", "what fogs send is lost", (CABLE,), _STATE, (2.0, 8.0), network=True),
    Kind("clock", "the wall clock of one process steps", TIERS, (12,)),
)
BY_NAME = {kind.name: kind for kind in KINDS}
NO_CLOCK = "nothing here steps the clock of one process (a process counts on by its monotonic clock)"


def chosen(only: str | None) -> list[Kind]:
    """Return the kinds named in ``a,b,c``; None: all. UnknownNameError for another name."""
    if only is None:
        return list(KINDS)
    names = [name.strip() for name in only.split(",") if name.strip()]
    for name in names:
        if name not in BY_NAME:
            raise UnknownNameError(f"--only: expected kinds of faults, got {name!r}{suggest(name, list(BY_NAME))}")
    return [kind for kind in KINDS if kind.name in names]


def playable(kinds: Sequence[Kind], *, durable: bool, no_network: str) -> tuple[list[Kind], dict[str, str]]:
    """Sort kinds into those that can be played and those that cannot, with the reason.

    Parameters
    ----------
    durable
        Whether twins keep logs.
    no_network
        Why there are no namespaces; empty: there are.
    """
    skipped = {}
    for kind in kinds:
        if kind.name == "clock":
            skipped[kind.name] = NO_CLOCK
        elif kind.durable and not durable:
            skipped[kind.name] = "twins keep no logs; add --durable"
        elif kind.network and no_network:
            skipped[kind.name] = no_network
    return [kind for kind in kinds if kind.name not in skipped], skipped


@dataclass(frozen=True, slots=True)
class Target:
    """A process that a fault may hit, and the nodes that it hosts."""

    process: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `after_s` from the recovery of the one before, at one node of one process, for `seconds`."""

    number: int
    kind: Kind
    where: str
    process: str
    node: str
    after_s: float
    seconds: float


def faults(
    kinds: Sequence[Kind],
    targets: Mapping[str, Sequence[Target]],
    seed: int,
    spare: Collection[str] = (),
    spacing_s: float = 0.0,
) -> Iterator[Fault]:
    """Yield faults without end: rounds over all kinds and tiers, each round shuffled, targets dealt in turn.

    Parameters
    ----------
    targets
        By tier, :data:`POOL` and :data:`CABLE`.
    spare
        Processes that no fault shall end.
    spacing_s
        Least time from a recovery to the next fault.

    The same arguments, the same faults: nothing is drawn anywhere else.
    """
    random, number = Random(seed), 0  # noqa: S311  a plan that repeats
    decks: dict[tuple[str, bool], list[Target]] = {}
    cells = [(kind, where) for kind in kinds for where in kind.where if _open(kind, targets.get(where, ()), spare)]
    while cells:
        for kind, where in random.sample(cells, len(cells)):
            deck = decks.setdefault((where, kind.ends), [])
            if not deck:
                fit = _open(kind, targets[where], spare)
                deck += random.sample(fit, len(fit))
            target = deck.pop()
            node = random.choice(target.nodes) if target.nodes else ""
            after_s, seconds = spacing_s + random.random(), random.uniform(*kind.seconds)
            number += 1
            yield Fault(number, kind, where, target.process, node, round(after_s, 3), round(seconds, 3))


def cells_of(kinds: Sequence[Kind], targets: Mapping[str, Sequence[Target]], spare: Collection[str] = ()) -> int:
    """Return how many faults are one round: each kind at each tier that has it, once."""
    return sum(bool(_open(kind, targets.get(where, ()), spare)) for kind in kinds for where in kind.where)


def _open(kind: Kind, targets: Sequence[Target], spare: Collection[str]) -> list[Target]:
    return [target for target in targets if not (kind.ends and target.process in spare)]
