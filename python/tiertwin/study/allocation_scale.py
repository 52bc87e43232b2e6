"""The fair-shares kernel against a general solver as the problem grows: time, memory, gap; how each of them ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError
from tiertwin.runtime.limited import Ending, run_limited
from tiertwin.study.allocation_child import KERNEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZES = (1_000, 10_000, 50_000, 200_000, 1_000_000)  # pairs of user and node
PEERS = {"pf": "CLARABEL", "lp": "HIGHS"}
MEMORY_BYTES = 8 << 30


def allocation_scale(
    sizes: Sequence[int] = SIZES,
    *,
    families: Sequence[str] = ("pf", "lp"),
    seed: int = 1,
    tolerance: float = 1e-3,
    peer_seconds: float = 300.0,
) -> Iterator[dict[str, Any]]:
    """Yield one row a family and size, each solver in a process of its own.

    Parameters
    ----------
    sizes
        Numbers of pairs of user and node, rising: a peer that does not end at one is not tried at the next.
    families
        ``pf``: proportionally fair; ``lp``: weighted throughput.
    seed
        Of the instances (`samples.compute_offload`).
    tolerance
        Certified gap asked of ours. The peer is asked for 1e-4, since it knows no certificate.
    peer_seconds
        Limit of the peer's process, building the problem included.

    Returns
    -------
    Iterator
        ``family``, ``pairs``; ``ours_s``, ``ours_cpu_s`` (the solve alone), ``ours_mb`` (peak of the process), ``gap``
        (certified), ``steps``; ``peer``, ``peer_ended`` (finished, time limit, memory limit, failed, not tried) and,
        where it finished, ``peer_s``, ``peer_cpu_s``, ``peer_mb``, ``peer_gap`` (to our bound) and ``ratio`` of CPU
        seconds.

    Raises
    ------
    ProcessError
        Ours did not end.
    """
    for family in families:
        tries = True
        for pairs in sizes:
            instance = {"family": family, "pairs": pairs, "seed": seed, "tolerance": tolerance}
            ours = _run(instance | {"solver": KERNEL}, 3600.0)
            if ours.answer is None:
                raise ProcessError(f"allocation-scale: ours at {pairs} pairs: {ours.how} {ours.said}")
            row: dict[str, Any] = {"family": family, "pairs": pairs, "peer": PEERS[family], "peer_ended": "not tried"}
            row |= {"ours_s": ours.answer["seconds"], "ours_cpu_s": ours.answer["cpu_s"]}
            row |= {"ours_mb": ours.answer["peak_mb"], "gap": ours.answer["gap"], "steps": ours.answer["steps"]}
            if tries:
                peer = _run(instance | {"solver": PEERS[family]}, peer_seconds)
                row["peer_ended"] = peer.how
                tries = peer.answer is not None
                row |= _beside(ours.answer, peer)
            yield row


def _run(instance: dict[str, Any], seconds: float) -> Ending:
    return run_limited("tiertwin.study.allocation_child", instance, seconds, MEMORY_BYTES)


def _beside(ours: dict[str, Any], peer: Ending) -> dict[str, Any]:
    if peer.answer is None:
        return {"peer_said": peer.said} if peer.said else {}
    return {
        "peer_s": peer.answer["seconds"],
        "peer_cpu_s": peer.answer["cpu_s"],
        "peer_mb": peer.answer["peak_mb"],
        "peer_gap": max(0.0, (ours["bound"] - peer.answer["value"]) / ours["scale"]),
        "ratio": peer.answer["cpu_s"] / ours["cpu_s"],
    }
