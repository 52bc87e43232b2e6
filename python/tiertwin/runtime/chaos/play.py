"""Plays faults one after the other, and waits for the recovery from each."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tiertwin.runtime.chaos.faults import PLAYS, Hurt
from tiertwin.runtime.supervisor import RESTARTS, WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.runtime.chaos.plan import Fault
    from tiertwin.runtime.chaos.tree import ChaosTree

ACKNOWLEDGED_S = 30.0  # timeout `acknowledged`: until a node has acknowledged something whose loss would be seen
RECOVERY_S = 60.0  # timeout `recovery`: from the end of a fault until all is well
SETTLED_EPOCHS = 2  # after the last fault, so that what they decided is in their logs
_COUNTED = {  # what must stay as it was: whose promise that is
    "unequal": (2, "digests differ at equal numbers"),
    "applied_again": (2, "a cursor fell within one life"),
    "alarms": (3, "a twin raised a digest alarm"),
    "terms_fallen": (6, "a lower term followed a higher one"),
}


@dataclass
class Played:
    """What came of one fault.

    Parameters
    ----------
    began, over, well
        When it began, was over, and all was well again, ns since 1970; `well` 0: it never was.
    levels, lost
        Levels acknowledged as durable that were looked for in a next life's log, and those that were not there.
    wrong, missed
        Digests, cursors and alarms that should not be; control periods of others without a decision.
    broken
        Promises that broke, by number, in words.
    """

    fault: Fault
    began: int
    over: int = 0
    well: int = 0
    levels: int = 0
    lost: int = 0
    wrong: int = 0
    missed: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)

    @property
    def recovery_s(self) -> float | None:
        """From its end until all was well, s; None: it never was."""
        return (self.well - self.over) / 1e9 if self.well else None


class Player:
    """Plays faults on one tree.

    Parameters
    ----------
    tree
        Running.
    tell
        What a person should know.
    """

    def __init__(self, tree: ChaosTree, tell: Callable[[str], None]) -> None:
        self._tree, self._tell = tree, tell
        self.played: list[Played] = []
        self._ends: dict[str, deque[float]] = {}

    def play(self, fault: Fault) -> Played:
        """Play one fault and wait until all is well, or until the timeout ``recovery``."""
        tree, ledger = self._tree, self._tree.ledger
        self._spare(fault)
        tree.run_for(fault.after_s)
        nodes = tree.nodes_of(fault.process)
        if fault.kind.ends and tree.wanted.durable:
            self._until_acknowledged({parent for _, parent in ledger.links} & set(nodes))
        ledger.read()
        ledger.take_said()
        before, lost, broken = asdict(ledger.counts), len(ledger.lost), ledger.counts.sessions_broken
        pid = tree.pid(fault.process)
        promised = ledger.promised(nodes) if fault.kind.ends and tree.wanted.durable else set()
        done = Played(fault, time.time_ns())
        self.played.append(done)
        hurt = Hurt()
        try:
            hurt = PLAYS[fault.kind.name](tree, fault)
        finally:
            done.over = hurt.over or time.time_ns()
            done.broken += hurt.broken
        ledger.look_from(done.over)
        if fault.kind.name == "stranger" and ledger.counts.sessions_broken > broken:
            done.broken.append((9, f"sessions broke while strangers were at {fault.node}"))
        if 1 not in fault.kind.promises:  # its log is gone
            promised -= {fault.node}
        self._wait(done, pid, promised)
        self._judge(done, promised, before, lost)
        self._tell(_line(done))
        return done

    def _until_acknowledged(self, parents: set[str]) -> None:
        ledger = self._tree.ledger
        if not self._tree.until(lambda: parents <= ledger.promised(parents), ACKNOWLEDGED_S):
            left = ", ".join(sorted(parents - ledger.promised(parents)))
            self._tell(f"timeout 'acknowledged': nothing durable of {left} yet; what they lose now would not be seen")

    def _spare(self, fault: Fault) -> None:
        """Wait where one end more would make the launcher give a process up: that is its own promise, not a loss."""
        if not fault.kind.ends:
            return
        ends = self._ends.setdefault(fault.process, deque(maxlen=RESTARTS - 1))
        if len(ends) == RESTARTS - 1 and (left := ends[0] + WITHIN_S - time.monotonic()) > 0:
            self._tell(f"{fault.process}: ended {RESTARTS - 1} times within {WITHIN_S:g} s; next in {left:.0f} s")
            self._tree.run_for(left)
        ends.append(time.monotonic())

    def _wait(self, done: Played, pid: int, promised: set[str]) -> None:
        tree, ledger, fault = self._tree, self._tree.ledger, done.fault

        def well() -> bool:
            there = tree.up(fault.process) or fault.process == "cable"
            if not there or (fault.kind.ends and tree.pid(fault.process) == pid):
                return False
            resumed = {line["node"] for line in ledger.said if line["event"] == "log resumed"}
            return ledger.agreed_at() is not None and promised <= resumed

        if not tree.until(well, RECOVERY_S):
            why = "; ".join(ledger.apart()[:3]) or f"{fault.process} is not there, or not as it should be"
            done.broken.append((4 if fault.kind.ends else 3, f"timeout 'recovery': {why}"))
            return
        agreed = ledger.agreed_at()
        done.well = time.time_ns() if fault.where == "solver" or agreed is None else agreed

    def _judge(self, done: Played, promised: set[str], before: dict[str, int], lost: int) -> None:
        ledger, fault = self._tree.ledger, done.fault
        said = ledger.take_said()
        news = ledger.lost[lost:]
        news += sorted(
            f"{node} came back without its log"
            for node in promised - {line["node"] for line in said if line["event"] == "log resumed"}
        )
        done.levels, done.lost = ledger.counts.levels_compared - before["levels_compared"], len(news)
        done.broken += [(1, text) for text in news]
        for name, (promise, text) in _COUNTED.items():
            more = asdict(ledger.counts)[name] - before[name]
            done.wrong += more if promise != 6 else 0
            done.broken += [(promise, f"{text}: {more} times")] if more else []
        event = fault.kind.told
        told = [line for line in said if line["event"] == event and fault.node in (line.get("node"), "")]
        if fault.kind.name == "sync-error":
            told = [line for line in said if line["event"] == event and line["process"] == fault.process]
        if event and not told:
            done.broken.append((13, f"{fault.node}: nothing in the log of {fault.process} says {event!r}"))

    # -- the end -------------------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Let some epochs go by, so that the last fault's periods are told of; then count those that were missed."""
        self._tree.run_for(SETTLED_EPOCHS * self._tree.period_s)
        self.count_missed()

    def count_missed(self) -> None:
        """Count control periods without a decision, of edges that no fault kept from it."""
        tree = self._tree
        tree.ledger.read()
        away: dict[str, list[tuple[int, int]]] = {}
        spans = []
        for done in self.played:
            last = done.well or done.over + int(RECOVERY_S * 1e9)
            spans.append((tree.epoch_of(done.began), tree.epoch_of(last)))
            away.setdefault(done.fault.process, []).append((spans[-1][0], spans[-1][1] + 1))
        for done, (first, last) in zip(self.played, spans, strict=True):
            missed = []
            for process in tree.layout:
                out = away.get(process.name, [])
                for node in (n for n in process.nodes if tree.roster.tier(n) == 1):
                    here = tree.ledger.decided.get(node, set())
                    wanted = (e for e in range(max(first, 2), last) if not any(a <= e <= b for a, b in out))
                    missed += [f"{node} in epoch {e}" for e in wanted if e % tree.control_every == 0 and e not in here]
            done.missed = len(missed)
            if missed:
                done.broken.append((5, f"no decision of {', '.join(missed[:3])}{' …' if len(missed) > 3 else ''}"))


def _line(done: Played) -> str:
    fault = done.fault
    whom = fault.node or fault.process
    took = done.recovery_s
    text = f"{fault.number}: {fault.kind.name} of {whom} ({fault.process})"
    text += f" for {fault.seconds:.1f} s" if fault.seconds else ""
    text += f", well after {took:.2f} s" if took is not None else ", NOT WELL"
    return text + "".join(f"\n   BROKEN P{promise}: {why}" for promise, why in done.broken)
