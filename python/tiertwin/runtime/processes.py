"""Which process hosts which nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tiertwin.errors import InputError, suggest
from tiertwin.runtime.roster import PLANT, Roster
from tiertwin.wire.endpoint import LOCALHOST

TIERS = ("device", "edge", "fog", "cloud")
DEFAULT_PROCESSES: Mapping[str, int] = {"device": 2, "edge": 3, "fog": 3, "cloud": 1}
_KINDS = ("gateways", "edges", "fogs", "cloud")


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One process of the tree, the nodes it hosts, and the address they listen on."""

    name: str
    nodes: tuple[str, ...]
    host: str = LOCALHOST


def lay_out(roster: Roster, processes: Mapping[str, int] | str | None = None) -> list[ProcessPlan]:
    """Deal the nodes of a tree to processes: neighbours of one tier side by side, in roster order.

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
        for k in range(many):
            part = tuple(names[len(names) * k // many : len(names) * (k + 1) // many])
            title = _KINDS[tier] if many == 1 else f"{_KINDS[tier]}-{k + 1}"
            plans.append(ProcessPlan(title, part))
    return plans


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
