"""Which process hosts which nodes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from tiertwin.errors import InputError, suggest
from tiertwin.runtime.roster import PLANT, Roster
from tiertwin.wire.endpoint import LOCALHOST

TIERS = ("device", "edge", "fog", "cloud")
DEFAULT_PROCESSES: Mapping[str, int] = {"device": 2, "edge": 3, "fog": 3, "cloud": 1}
NODE_AS_DEVICES = 200  # a node by itself, with its sockets, weighs about as much in its process as so many devices
_KINDS = ("gateways", "edges", "fogs", "cloud")


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One process of the tree, the nodes it hosts, and the address they listen on."""

    name: str
    nodes: tuple[str, ...]
    host: str = LOCALHOST


def lay_out(roster: Roster, processes: Mapping[str, int] | str | None = None) -> list[ProcessPlan]:
    """Deal the nodes of a tree to processes: side by side in roster order, as even as may be within a tier.

    What a node weighs in its process (memory, work) is its devices besides a constant.

    Parameters
    ----------
    roster
        Who is in the tree.
    processes
        How many processes each tier gets (at most one a node), e.g. ``{"device": 2, "edge": 3, "fog": 3, "cloud": 1}``;
        ``"node"``: one process a node; None: the default.

    Raises
    ------
    InputError
        An unknown tier, or fewer than one process for one.
    """
    counts = dict(DEFAULT_PROCESSES)
    if isinstance(processes, str):
        counts = dict.fromkeys(TIERS, len(roster.names))
    elif processes:
        _check(processes)
        counts |= processes
    plans = [ProcessPlan("plant", tuple(name for name in roster.names if roster.tier(name) == PLANT))]
    for tier, word in enumerate(TIERS):
        names = [name for name in roster.names if roster.tier(name) == tier]
        many = min(counts[word], len(names))
        cuts = _cuts([NODE_AS_DEVICES + roster.nodes[name].devices for name in names], many)
        for k in range(many):
            title = _KINDS[tier] if many == 1 else f"{_KINDS[tier]}-{k + 1}"
            plans.append(ProcessPlan(title, tuple(names[cuts[k] : cuts[k + 1]])))
    return plans


def _cuts(weights: Sequence[int], parts: int) -> list[int]:
    """Cut a row into parts, none empty: each cut where the weight before it is nearest to its share of the whole."""
    before = list(accumulate(weights, initial=0))
    cuts = [0]
    for k in range(1, parts):
        share = before[-1] * k / parts
        at = bisect_left(before, share)
        at -= share - before[at - 1] <= before[at] - share
        cuts.append(min(max(at, cuts[-1] + 1), len(weights) - (parts - k)))
    return [*cuts, len(weights)]


def place(
    plans: Sequence[ProcessPlan], roster: Roster, hosts: Mapping[str, str], pool: str
) -> tuple[list[ProcessPlan], str]:
    """Give processes their addresses: a process's own before its tier's, else this host alone.

    Parameters
    ----------
    plans
        As :func:`lay_out` gives them.
    hosts
        Address by tier or by process; the solver pool is called `pool`.

    Returns
    -------
    plans, pool
        The same with addresses, and the address of the pool.

    Raises
    ------
    InputError
        Neither a tier nor a process is called so.
    """
    known = [*TIERS, *(plan.name for plan in plans), pool]
    unknown = [name for name in hosts if name not in known]
    if unknown:
        raise InputError(
            [f"deployment.hosts.{n}: expected a tier or a process, got {n!r}{suggest(n, known)}" for n in unknown]
        )
    placed = []
    for plan in plans:
        tier = roster.tier(plan.nodes[0]) if plan.nodes else PLANT
        of_tier = hosts.get(TIERS[tier], LOCALHOST) if tier >= 0 else LOCALHOST
        placed.append(replace(plan, host=hosts.get(plan.name, of_tier)))
    return placed, hosts.get(pool, LOCALHOST)


def parse_processes(text: str) -> dict[str, int] | str:
    """Read what ``--processes`` was given: ``node``, or ``device=2,edge=3,fog=3,cloud=1`` (tiers left out: default).

    Raises
    ------
    InputError
        Anything else.
    """
    if text == "node":
        return text
    counts: dict[str, int] = {}
    for part in text.split(","):
        tier, _, number = part.partition("=")
        if not number.strip().isdigit():
            raise InputError(f"--processes: expected 'node' or e.g. 'device=2,edge=3,fog=3,cloud=1', got {text!r}")
        counts[tier.strip()] = int(number)
    _check(counts)
    return counts


def _check(processes: Mapping[str, int]) -> None:
    for tier, count in processes.items():
        if tier not in TIERS:
            raise InputError(f"processes: expected tiers among {', '.join(TIERS)}, got {tier!r}")
        if count < 1:
            raise InputError(f"processes.{tier}: expected at least 1, got {count}")
