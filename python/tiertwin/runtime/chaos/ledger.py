"""What the ends of all links told: what was acknowledged, what both held, and whether that can be.

Levels are read from the watch of the *children*: the highest number that a parent said it has on disk, as the child
heard it. What a parent's next life recovers from its log is compared to them. Digests are compared at every number that
both ends held while their session was live, from the first line to the last.
"""

from __future__ import annotations

import datetime
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tiertwin import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LIVE = _core.SESSION_STATES["live"]
REMEMBERED = 256  # newest numbers of an end, whose digests are compared
WAITING = 100_000  # numbers that wait for their acknowledgement, of one end
Pair = tuple[str, str]


class Tail:
    """New whole lines of the files of a folder, as JSON; half a line of a killed process never is one.

    Parameters
    ----------
    folder, pattern
        Which files.
    consume
        Remove a file that was read and is no process's newest: files are called ``PID-K…``.
    """

    def __init__(self, folder: Path, pattern: str, *, consume: bool = False) -> None:
        self._folder, self._pattern, self._consume = folder, pattern, consume
        self._read: dict[Path, int] = {}

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield what is new since the last call."""
        paths = sorted(self._folder.glob(self._pattern), key=_order)
        for k, path in enumerate(paths):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                content = file.read()
            whole = content.rfind(b"\n") + 1
            self._read[path] = self._read.get(path, 0) + whole
            for line in content[:whole].splitlines():
                if line.startswith(b"{"):
                    yield msgspec.json.decode(line)
            if self._consume and k + 1 < len(paths) and _order(paths[k + 1])[0] == _order(path)[0]:
                path.unlink()
                del self._read[path]


def _order(path: Path) -> tuple[str, int]:
    stem, _, count = path.stem.rpartition("-")
    return (stem, int(count)) if stem.isdigit() and count.isdigit() else (path.stem, 0)


Held: TypeAlias = OrderedDict[tuple[int, int], tuple[int, int]]
"""One direction of a link as one end holds it: (stream, number) → digest, and when that was told last, ns."""


@dataclass(slots=True)
class End:
    """What one end of a link told last."""

    life: int = 0
    state: int = -1
    since: int = 0  # in this state
    term: int = 0
    alarms: int = 0
    stream_in: int = 0
    cursor: int = 0
    last: tuple[int, int] = (0, 0)  # stream and number of ours
    durable: int = 0
    out: Held = field(default_factory=OrderedDict)
    into: Held = field(default_factory=OrderedDict)
    unacknowledged: deque[tuple[int, int]] = field(default_factory=deque)  # number, when


@dataclass(slots=True)
class Counts:
    """What was counted since the beginning; all but `compared` and `levels_compared` should be 0."""

    compared: int = 0
    unequal: int = 0  # digests at equal numbers
    applied_again: int = 0  # a cursor fell within one life
    alarms: int = 0  # digest alarms of the twins themselves
    terms_fallen: int = 0
    sessions_broken: int = 0
    levels_compared: int = 0


class Ledger:
    """Everything that was told, in the order of its time.

    Parameters
    ----------
    links
        (child, parent) in different processes.
    watched, logs
        Folders: of what the children tell, and of the logs of processes.
    """

    def __init__(self, links: Iterable[Pair], watched: Path, logs: Path) -> None:
        self.links = list(links)
        self._children = set(self.links)
        self.ends: dict[Pair, End] = {}
        self.counts = Counts()
        self.lost: list[str] = []
        self.levels: dict[tuple[str, str, int], int] = {}  # child, parent, stream: acknowledged as durable
        self.records: dict[Pair, int] = {}  # applied by the parent of a link, streams of all lives
        self.decided: dict[str, set[int]] = {}  # by edge: epochs
        self.said: list[dict[str, Any]] = []  # lines of logs about disks, since somebody took them
        self.ack_ms: list[float] = []  # from a number to its acknowledgement as durable, since somebody took them
        self._forgotten: dict[tuple[str, str, int], int] = {}
        self._since = 0
        self._agreed: dict[Pair, int] = {}  # by sender: since when both ends hold the same
        self._watched = Tail(watched, "*.jsonl", consume=True)
        self._logs = Tail(logs, "*.log")

    # -- reading -------------------------------------------------------------------------------------------------------
    def read(self) -> None:
        """Take in what is new. Logs first: what a life recovered is never compared to what it said afterwards."""
        found = [(_at(line), 1, line) for line in self._logs.lines()]
        told = [(line["at"], 0, line) for line in self._watched.lines()]
        for at, kind, line in sorted([*told, *found], key=lambda entry: entry[:2]):
            if kind:
                self.take_log(line, at)
            else:
                self.take(line)

    def take_log(self, line: dict[str, Any], at: int) -> None:
        """Take a line of a log, written at `at` ns since 1970."""
        event = line["event"]
        if event == "twin" and line.get("what") == "decision" and line.get("tier") == "edge":
            self.decided.setdefault(line["node"], set()).add(line["epoch"])
        elif event in ("log", "log resumed", "degraded", "disk back", "disk lost", "stopped", "refused"):
            self.said.append(line | {"at": at})
            if event == "log resumed":
                self._compare(line)

    def take(self, line: dict[str, Any]) -> None:
        """Take what one end told."""
        pair = line["node"], line["peer"]
        end = self.ends.setdefault(pair, End())
        again = end.life == line["life"]
        if not again:
            end.life, end.alarms = line["life"], 0
        self._follow_state(end, line)
        self._follow_out(pair, end, line)
        self._follow_in(pair, end, line, again=again)

    def _follow_state(self, end: End, line: dict[str, Any]) -> None:
        if line["state"] != end.state:
            self.counts.sessions_broken += end.state == LIVE
            end.state, end.since = line["state"], line["at"]
        self.counts.alarms += max(line["alarms"] - end.alarms, 0)
        end.alarms = line["alarms"]
        if line["state"] == LIVE:
            self.counts.terms_fallen += line["term"] < end.term
            end.term = line["term"]

    def _follow_out(self, pair: Pair, end: End, line: dict[str, Any]) -> None:
        stream, last, digest = line["out"]
        at = line["at"]
        if stream != end.last[0]:
            end.unacknowledged.clear()
            end.durable = 0
        elif pair in self._children and last > end.last[1] and len(end.unacknowledged) < WAITING:
            end.unacknowledged.append((last, at))
        end.last = stream, last
        if pair in self._children and line["durable"] > end.durable:
            self._acknowledged((*pair, stream), end, line["durable"], at)
        if line["state"] == LIVE:
            _note(end.out, (stream, last), digest, at)
            other = self.ends.get((pair[1], pair[0]))
            self._match(pair, None if other is None else other.into, (stream, last), digest, at)

    def _acknowledged(self, key: tuple[str, str, int], end: End, durable: int, at: int) -> None:
        end.durable = durable
        self.levels[key] = max(self.levels.get(key, 0), durable)
        while end.unacknowledged and end.unacknowledged[0][0] <= durable:
            self.ack_ms.append((at - end.unacknowledged.popleft()[1]) / 1e6)

    def _follow_in(self, pair: Pair, end: End, line: dict[str, Any], *, again: bool) -> None:
        (stream, cursor, digest), sender = line["in"], (pair[1], pair[0])
        if again and stream == end.stream_in:
            if sender in self._children and cursor > end.cursor:
                self.records[sender] = self.records.get(sender, 0) + cursor - end.cursor
            self.counts.applied_again += cursor < end.cursor
        end.stream_in, end.cursor = stream, cursor
        if line["state"] == LIVE:
            _note(end.into, (stream, cursor), digest, line["at"])
            other = self.ends.get(sender)
            self._match(sender, None if other is None else other.out, (stream, cursor), digest, line["at"])

    def _match(self, sender: Pair, other: Held | None, key: tuple[int, int], digest: int, at: int) -> None:
        """Compare a number that one end has told of with what the other told of it."""
        found = None if other is None or not key[0] else other.get(key)  # stream 0: there is none yet
        if found is None:
            return
        self.counts.compared += 1
        self.counts.unequal += found[0] != digest
        if min(at, found[1]) >= self._since and found[0] == digest:
            self._agreed.setdefault(sender, max(at, found[1]))

    # -- recovery ------------------------------------------------------------------------------------------------------
    def look_from(self, at: int) -> None:
        """From now on only what both ends held after `at` (ns since 1970) is agreement."""
        self._since = at
        self._agreed.clear()

    def agreed_at(self) -> int | None:
        """When the last link came to be live with both directions equal at a number held since; None: not yet."""
        latest = self._since
        for link in self.links:
            for sender in (link, (link[1], link[0])):
                end, at = self.ends.get(sender), self._agreed.get(sender)
                if end is None or end.state != LIVE or at is None:
                    return None
                latest = max(latest, at, end.since)
        return latest

    def apart(self) -> list[str]:
        """Say which links are not well, and why."""
        wrong = []
        for link in self.links:
            for sender in (link, (link[1], link[0])):
                end = self.ends.get(sender)
                if end is None or end.state != LIVE:
                    wrong.append(f"{sender[0]} to {sender[1]}: no session")
                elif sender not in self._agreed:
                    wrong.append(f"{sender[0]} to {sender[1]}: no number that both held")
        return wrong

    # -- what was acknowledged -----------------------------------------------------------------------------------------
    def _compare(self, line: dict[str, Any]) -> None:
        """A node goes on from its log: everything that it had acknowledged must be there."""
        node, found = line["node"], line["children"]
        for (child, parent, stream), level in self.levels.items():
            if parent != node or stream != self._stream_of(child, node):
                continue
            if level <= self._forgotten.get((child, parent, stream), 0):
                continue
            self.counts.levels_compared += 1
            there, cursor = found.get(child, (0, 0))
            if there != stream or cursor < level:
                held = cursor if there == stream else "nothing"
                self.lost.append(f"{node}: acknowledged {level} to {child} as durable, recovered {held}")

    def _stream_of(self, child: str, parent: str) -> int:
        end = self.ends.get((child, parent))
        return 0 if end is None else end.last[0]

    def promised(self, nodes: Iterable[str]) -> set[str]:
        """Return which of these nodes have acknowledged something as durable of what their children say now."""
        wanted = set(nodes)
        return {
            parent
            for (child, parent, stream), level in self.levels.items()
            if parent in wanted
            and stream == self._stream_of(child, parent)
            and level > self._forgotten.get((child, parent, stream), 0)
        }

    def forget(self, node: str) -> None:
        """The log of a node is gone: what it had acknowledged until now can be nowhere but with its children."""
        self._forgotten |= {key: level for key, level in self.levels.items() if key[1] == node}

    def take_said(self) -> list[dict[str, Any]]:
        """Return lines of logs about disks and ends since the last call."""
        taken, self.said = self.said, []
        return taken


def _note(held: Held, key: tuple[int, int], digest: int, at: int) -> None:
    held[key] = digest, at
    held.move_to_end(key)
    if len(held) > REMEMBERED:
        held.popitem(last=False)


def _at(line: dict[str, Any]) -> int:
    return int(datetime.datetime.fromisoformat(line["time"]).timestamp() * 1e9)
