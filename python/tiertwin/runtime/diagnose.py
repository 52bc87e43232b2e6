"""What is wrong with a running tree, in plain words, from what its nodes said and the operating system tells.

Pure: :func:`diagnose` gets reports, states of processes and the time, and returns findings.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tiertwin.runtime.diagnosis import Diagnosis, Finding, KeyNote
from tiertwin.runtime.status import LIVE, SESSION_WORDS, LinkStatus, NodeStatus, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tiertwin.runtime.lookout import ProcessLook, Report
    from tiertwin.runtime.treefile import RunningTree

CLOCK_MS = 1_000.0  # clocks further apart are worth a word
LONG_MS = 1_000.0  # a wait that is longer than this and than a control period
SHOWN = 6  # names in one line
LAUNCHER = "launcher"  # holds the solver pool's front, and writes the run's files
APART = 3  # silent nodes of one process that get a line each
SOON_DAYS = 7
BYE_WORDS = {
    2: "knows no session of ours",
    3: "says that a later observer is there",
    4: "speaks another version of the frames",
    5: "banned us",
    6: "has another table of its status: it runs another version of tiertwin",
}
_WAITS = {
    Waiting.PARENT: "a session with {0}",
    Waiting.CHILDREN: "what {0} say of this round",
    Waiting.SOLVER: "answers of the solver pool",
    Waiting.BUDGET: "a budget of {0}",
}


def diagnose(
    tree: RunningTree,
    reports: Mapping[str, Report],
    processes: Sequence[ProcessLook],
    now_s: float,
    keys: Sequence[KeyNote] = (),
    schema: str = "",
) -> Diagnosis:
    """Say what is wrong.

    Parameters
    ----------
    reports
        By node that listens.
    now_s
        When the reports were read, seconds since 1970.
    keys
        Keys that matter here.
    schema
        Fingerprint of our own attributes; empty: not compared.
    """
    case = _Case(tree, reports, processes, now_s)
    findings = [
        *case.version(schema),
        *case.stopped(),
        *case.silent_nodes(),
        *case.who_waits(),
        *case.long_waits(),
        *case.leases(),
        *case.behind(),
        *_keys(keys),
        *case.clocks(),
        *case.disks(),
        *case.counters(),
    ]
    return Diagnosis(case.head(), findings, case.epoch, len(case.seen), len(reports))


class _Case:
    """The facts, sorted once."""

    def __init__(
        self, tree: RunningTree, reports: Mapping[str, Report], processes: Sequence[ProcessLook], now_s: float
    ) -> None:
        self.tree, self.reports, self.processes, self.now_s = tree, reports, processes, now_s
        self.node = {node.name: node for node in tree.nodes}
        self.process = {process.name: process for process in processes}
        self.seen = {name: r.status for name, r in reports.items() if r.status is not None}
        self.epoch = int(max((status.epoch for status in self.seen.values()), default=-1))
        down = {name for process in processes if process.state in ("stopped", "gone") for name in process.nodes}
        self.silent = {name for name in self.node if name not in self.seen and (name in down or name in reports)}

    def when(self, ago_ms: float) -> str:
        """A time of day, and how long that is from now; negative: to come."""
        at = time.strftime("%H:%M:%S", time.gmtime(self.now_s - ago_ms / 1e3))
        return f"{at} UTC ({ago_ms / 1e3:.1f} s ago)" if ago_ms >= 0 else f"{at} UTC (in {-ago_ms / 1e3:.1f} s)"

    def head(self) -> str:
        """The first line."""
        asked, answered = len(self.reports), len(self.seen)
        mute = len(self.node) - asked
        where = "" if self.epoch < 0 else f", epoch {self.epoch}"
        plant = f"; {mute} of the plant are not asked" if mute else ""
        return f"{answered} of {asked} nodes answer{where}; {len(self.processes)} processes{plant}."

    # -- what is not there ---------------------------------------------------------------------------------------------
    def version(self, schema: str) -> Iterable[Finding]:
        """Another version wrote the map."""
        theirs = self.tree.schema
        if schema and theirs and schema != theirs:
            yield Finding(
                "version",
                f"this tiertwin knows other attributes (schema {schema}) than the one that runs here "
                f"({self.tree.tiertwin}, schema {theirs}): look with the version that runs",
                True,
                {"ours": schema, "theirs": theirs},
            )

    def stopped(self) -> Iterable[Finding]:
        """Processes that do not run."""
        if self.processes and not self.seen and all(process.state == "gone" for process in self.processes):
            text = "every process of this tree is gone; it did not end in order. `tiertwin inspect` shows what it left"
            yield Finding("ended", text, True)
            return
        for process in self.processes:
            if process.state not in ("stopped", "gone"):
                continue
            inside = f"; inside: {names(process.nodes)}" if process.nodes else ""
            what = f"process {process.name} (pid {process.pid})"
            facts = {"process": process.name, "pid": process.pid, "nodes": list(process.nodes)}
            if process.state == "gone" and self._answers(process):
                yield Finding(
                    "by hand", f"{what} is gone{inside}. Its nodes answer: somebody started them again", False, facts
                )
                continue
            if process.name == LAUNCHER and process.state == "gone":
                text = f"the launcher (pid {process.pid}) is gone: no solver pool, and nobody writes the run's history"
            elif process.state == "stopped":
                text = f"{what} is stopped{inside}. `kill -CONT {process.pid}` lets it go on"
            else:
                text = f"{what} is gone{inside}. {self._and_now(process)}"
            kind = "degraded" if process.degraded else process.state
            yield Finding(kind, text, True, facts | ({"reason": process.degraded} if process.degraded else {}))

    def _and_now(self, process: ProcessLook) -> str:
        """What becomes of a process that is gone."""
        if not process.degraded:
            launcher = self.process.get(LAUNCHER)
            again = launcher is not None and launcher.state == "running"
            return "The launcher starts it again; its log says why" if again else "Its log says why"
        by_hand = (
            f". `tiertwin node --process {process.name} --deployment deployment.json` does" if process.nodes else ""
        )
        return f"The launcher does not start it again: {process.degraded}{by_hand}"

    def _answers(self, process: ProcessLook) -> bool:
        asked = [name for name in process.nodes if name in self.reports]
        return bool(asked) and all(name in self.seen for name in asked)

    def silent_nodes(self) -> Iterable[Finding]:
        """Nodes that do not answer though nobody says that their process does not run."""
        groups: dict[tuple[str, str], list[str]] = {}
        for name, report in self.reports.items():
            process = self.process.get(self.node[name].process)
            if report.status is None and (process is None or process.state not in ("stopped", "gone")):
                groups.setdefault((self.node[name].process, _kind_of(report)), []).append(name)
        for (where, _), nodes in groups.items():
            report, process = self.reports[nodes[0]], self.process.get(where)
            state = "unknown" if process is None else process.state
            how = {
                "elsewhere": ", on another machine",
                "running": f" (pid {process.pid if process else 0}), which runs",
            }
            verb = "does" if len(nodes) == 1 else "do"
            text = f"{names(nodes)} {verb} not answer, of process {where}{how.get(state, '')}: {_why(report)}"
            facts: dict[str, Any] = {"nodes": nodes, "process": where, "reason": report.trouble}
            if report.refusal is not None:
                facts["refused"] = report.refusal[0]
            yield Finding("no answer", text, True, facts)

    # -- who waits -----------------------------------------------------------------------------------------------------
    def who_waits(self) -> Iterable[Finding]:
        """Neighbours of nodes that are silent, or that have no session with them."""
        groups: dict[str, dict[str, dict[str, LinkStatus]]] = {}  # process or node → peer → who waits
        for peer, node in self.node.items():
            waiting = {name: link for name, link in self._links_to(peer) if self._is_bad(peer, link)}
            if waiting and (self.epoch >= 0 or peer in self.silent):  # before, it has only just begun
                key = f"process {node.process}" if peer in self.silent else peer
                groups.setdefault(key, {})[peer] = waiting
        for group in groups.values():
            if len(group) > APART:
                yield self._waits(group)
            else:
                yield from (self._waits({peer: waiting}) for peer, waiting in group.items())

    def _waits(self, group: dict[str, dict[str, LinkStatus]]) -> Finding:
        links = [link for waiting in group.values() for link in waiting.values()]
        waiting = sorted({name for found in group.values() for name in found}, key=list(self.node).index)
        words = sorted({_word(link) for link in links})
        ago = max(link.silent_ms for link in links)
        since = f"nothing heard since {self.when(ago)}" if ago >= 0 else "nothing ever heard"
        verb = "waits" if len(waiting) == 1 else "wait"
        answers = "" if all(peer in self.silent for peer in group) else " (which answers us)"
        text = f"{names(waiting)} {verb} for {names(group)}{answers}: session {' or '.join(words)}, {since}"
        facts = {"for": list(group), "waiting": waiting, "since_s": self.now_s - ago / 1e3 if ago >= 0 else None}
        return Finding("waits", text, True, facts)

    def _links_to(self, peer: str) -> Iterable[tuple[str, LinkStatus]]:
        for name, status in self.seen.items():
            for link in status.links:
                if link.peer == peer:
                    yield name, link

    def _is_bad(self, peer: str, link: LinkStatus) -> bool:
        return peer in self.silent or link.session != LIVE or link.suspect > 0 or not link.attached

    def long_waits(self) -> Iterable[Finding]:
        """Waits that are longer than they should be and are told by nothing above."""
        for name, status in self.seen.items():
            period_ms = 1e3 * self.tree.periods_s.get(self.node[name].tier, 0.0)
            code = Waiting(int(status.waiting)) if status.waiting in list(Waiting) else Waiting.NOTHING
            if code in (Waiting.NOTHING, Waiting.PARENT) or status.waiting_since_ms < max(LONG_MS, period_ms):
                continue
            awaited = [link.peer for link in status.links if link.awaited > 0]
            what = _WAITS[code].format(names(awaited) if awaited else "nobody")
            text = f"{name} waits for {what} since {self.when(status.waiting_since_ms)}"
            facts = {"node": name, "waiting": code.name.lower(), "for": awaited, "ms": status.waiting_since_ms}
            yield Finding("long wait", text, True, facts)

    # -- leases --------------------------------------------------------------------------------------------------------
    def leases(self) -> Iterable[Finding]:
        """Who decides alone, and which lease runs out first."""
        held = [(s.lease_left_ms, n, s) for n, s in self.seen.items() if s.lease_epoch >= 0 and s.lease_left_ms > 0]
        lapsed = [(s.lease_left_ms, n, s) for n, s in self.seen.items() if s.lease_epoch >= 0 and s.lease_left_ms <= 0]
        risky = [item for item in held if self._unled(item[1])]
        if lapsed:
            left, name, status = min(lapsed, key=lambda item: item[0])
            these = names([n for _, n, _ in lapsed])
            verb = "decides" if len(lapsed) == 1 else "decide"
            text = (
                f"{these} {verb} alone; the first lease to run out was that of {name} (epoch {status.lease_epoch:.0f}, "
                f"from {self.node[name].parent}), at {self.when(-left)}"
            )
            facts = {"nodes": [n for _, n, _ in lapsed], "first": name, "left_ms": left, "epoch": status.lease_epoch}
            yield Finding("lapsed", text, True, facts)
        never = [n for n, s in self.seen.items() if s.alone > 0 and s.lease_epoch < 0 and s.epoch > 2 * self._every(n)]
        if never:
            text = f"{names(never)} never had a lease; the tree is in epoch {self.epoch}"
            yield Finding("no lease", text, True, {"nodes": never})
        if risky or (held and not lapsed):
            yield self._first(risky or held, at_risk=bool(risky))

    def _first(self, held: list[tuple[float, str, NodeStatus]], *, at_risk: bool) -> Finding:
        left, name, status = min(held, key=lambda item: item[0])
        which = f"{name} (epoch {status.lease_epoch:.0f}, from {self.node[name].parent})"
        at = f"at {self.when(-left)}"
        facts = {"node": name, "left_ms": left, "epoch": status.lease_epoch, "at_risk": at_risk}
        if at_risk:
            more = f"; {len(held) - 1} more after it" if len(held) > 1 else ""
            return Finding("next lease", f"the lease that runs out first is that of {which}, {at}{more}", True, facts)
        text = f"{len(held)} leases are held; unless renewed, that of {which} ends first, {at}"
        return Finding("next lease", text, False, facts)

    def _unled(self, name: str) -> bool:
        """Whether nobody renews the lease of a node: its parent is silent to it, or to us."""
        parent = self.node[name].parent
        links = [link for link in self.seen[name].links if link.peer == parent]
        return parent is not None and any(self._is_bad(parent, link) for link in links)

    def _every(self, name: str) -> int:
        """Control period of a node in base epochs."""
        periods = self.tree.periods_s
        base = min(periods.values(), default=0.0)
        return max(1, round(periods.get(self.node[name].tier, base) / base)) if base > 0 else 1

    # -- what is odd ---------------------------------------------------------------------------------------------------
    def behind(self) -> Iterable[Finding]:
        """Nodes that do not decide, or live in an earlier epoch."""
        late = [n for n, s in self.seen.items() if s.decided >= 0 and s.epoch - s.decided > 2 * self._every(n)]
        for name in late:
            status = self.seen[name]
            text = f"{name} has not decided since epoch {status.decided:.0f}; it is in epoch {status.epoch:.0f}"
            yield Finding("not deciding", text, True, {"node": name, "decided": status.decided, "epoch": status.epoch})
        slow = [n for n, s in self.seen.items() if self.epoch - s.epoch > 2]
        if slow:
            least = min(self.seen[n].epoch for n in slow)
            text = f"{names(slow)} lag behind: in epoch {least:.0f}, others in {self.epoch}"
            yield Finding("behind", text, True, {"nodes": slow, "epoch": least})

    def clocks(self) -> Iterable[Finding]:
        """Hosts whose clock is off; leases do not depend on it, time stamps do."""
        worst: dict[str, float] = {}
        for name, report in self.reports.items():
            if report.ahead_ms is not None and abs(report.ahead_ms) > CLOCK_MS:
                host = self.node[name].host
                worst[host] = max(worst.get(host, 0.0), report.ahead_ms, key=abs)
        for host, ahead in worst.items():
            way = "ahead of" if ahead > 0 else "behind"
            text = f"the clock of {host} is about {abs(ahead) / 1e3:.1f} s {way} ours (leases do not depend on it)"
            yield Finding("clock", text, False, {"host": host, "ahead_ms": ahead})

    def disks(self) -> Iterable[Finding]:
        """Nodes whose log finds no room (P13), and logs that had to be begun anew by a later life."""
        full = [
            n for n, r in self.reports.items() if r.counts.get("log.disk_full", 0) > r.counts.get("log.disk_back", 0)
        ]
        if full:
            verb = "has" if len(full) == 1 else "have"
            text = (
                f"{names(full)} {verb} no room for the log: nothing is acknowledged as durable, decisions go on. Make "
                "room on that disk (64 MiB are left free); acknowledging goes on by itself"
            )
            yield Finding("disk", text, True, {"nodes": full})
        anew = [
            n
            for n, r in self.reports.items()
            if n in self.seen and r.counts.get("log.begun", 0) and self.seen[n].incarnation > 1
        ]
        if anew:
            text = f"{names(anew)} began the log anew: the files of the earlier one are put aside (*.quarantine)"
            yield Finding("log", text, False, {"nodes": anew})

    def counters(self) -> Iterable[Finding]:
        """Counts that are worth a word."""
        refused = {n: int(s.refused) for n, s in self.seen.items() if s.refused > 0}
        if refused:
            text = "frames refused by their session: " + ", ".join(f"{n} {c}" for n, c in _largest(refused))
            yield Finding("refused", text, False, {"nodes": refused})
        pools = {self.node[n].process: s for n, s in self.seen.items() if s.pool_late > 0}
        for process, status in pools.items():
            of = f"{status.pool_late:.0f} of {status.pool_asked:.0f}"
            text = f"solver pool, asked by {process}: {of} answers came too late"
            yield Finding("late", text, False, {"process": process, "late": status.pool_late})


def _largest(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])[:SHOWN]


def _keys(keys: Sequence[KeyNote]) -> Iterable[Finding]:
    for key in keys:
        facts = {"key": key.name, "days_left": key.days_left}
        if key.problem:
            yield Finding("key", f"key {key.name}: {key.problem}", True, facts)
        elif key.days_left <= 0:
            yield Finding("key", f"key {key.name} has expired", True, facts)
        elif key.days_left < SOON_DAYS:
            yield Finding("key", f"key {key.name} expires in {key.days_left:.1f} days", False, facts)


def _kind_of(report: Report) -> str:
    """What is the same for nodes that do not answer for the same reason."""
    if report.refusal is not None:
        return f"refused {report.refusal[0]}"
    return re.sub(r"tcp://\S+|'[^']*'", "", report.trouble)


def _why(report: Report) -> str:
    if report.refusal is not None:
        code, text = report.refusal
        return f"it {BYE_WORDS.get(code, f'ended the session (reason {code})')} ({text})"
    return report.trouble or "it takes the connection and says nothing; it is busy, or it hangs"


def _word(link: LinkStatus) -> str:
    word = SESSION_WORDS.get(int(link.session), "unknown")
    return "suspect" if word == "live" and link.suspect > 0 else word


def names(found: Iterable[str]) -> str:
    """Names in a line: all of a few, else the first and how many more."""
    listed = list(found)
    if len(listed) <= SHOWN:
        return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]])) if listed else "nobody"
    return ", ".join(listed[: SHOWN - 1]) + f" and {len(listed) - SHOWN + 1} more"
