"""Looks at a running tree as an observer: connects to every node, waits a little, returns what each said."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.errors import TiertwinError
from tiertwin.runtime.countertable import counter_table, read_counts
from tiertwin.runtime.status import NodeStatus, read_status, status_table, written_at
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.treefile import machine, stat_of
from tiertwin.twin.attributes import registry
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.zeromq import NodeEndpoint, ParentAddress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tiertwin.runtime.deployment import RunningProcess
    from tiertwin.runtime.treefile import RunningNode, RunningTree
    from tiertwin.wire.endpoint import Buffer
    from tiertwin.wire.keys import NodeKey

WAIT_S = 2.0  # for every node
SHORT_S = 0.6  # for nodes of processes that are stopped or gone
TURN_MS = 50
BYE = 8
_REASON, _TEXT, _BODY = 40, 48, 248  # offsets in a BYE frame
_LEAVE = 1


@dataclass(slots=True)
class Report:
    """What came of looking at one node.

    Parameters
    ----------
    status
        What it said; None: nothing.
    counts
        What it and its process counted, by name of :data:`tiertwin.runtime.counters.COUNTERS`; none that are 0.
    trouble
        Why there is no link, in words; empty: there is one, or nothing was said about it.
    refusal
        Reason of a BYE (PROTOCOL: 4 version, 6 schema …) and its text.
    ahead_ms
        How far the node's clock is ahead of ours, ms, at least; None: unknown.
    after_ms
        When its first answer came, ms after we began.
    """

    node: str
    status: NodeStatus | None = None
    trouble: str = ""
    refusal: tuple[int, str] | None = None
    ahead_ms: float | None = None
    after_ms: float | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessLook:
    """A process as the operating system sees it: ``running``, ``stopped``, ``gone``, ``elsewhere`` (another machine) or
    ``unknown`` (started by hand). `degraded` says why its launcher does not start it again."""

    name: str
    pid: int
    state: str
    nodes: tuple[str, ...] = field(default=())
    degraded: str = ""


def look_at_processes(tree: RunningTree) -> list[ProcessLook]:
    """Look at every process of the tree."""
    return [
        ProcessLook(p.name, p.pid, state_of(p), tuple(n.name for n in tree.nodes if n.process == p.name), p.degraded)
        for p in tree.processes
    ]


def state_of(process: RunningProcess) -> str:
    """How a process stands, in the words of :class:`ProcessLook`."""
    if process.machine not in ("", machine()):
        return "elsewhere"
    if not process.pid:
        return "unknown"
    letter, began = stat_of(process.pid)
    if not letter or letter in "ZX" or (process.began and began != process.began):
        return "gone"
    return "stopped" if letter in "Tt" else "running"


class Session:
    """Our session with one node, as an observer."""

    def __init__(self, tree: RunningTree, node: RunningNode, known: _core.AttributeRegistry) -> None:
        self.order = tree.neighbours(node.name)
        self.table = status_table(known, len(self.order))
        self.peer = _core.Peer(
            known, is_child=True, incarnation=int(time.time()), stream_id=secrets.randbits(63), heartbeat_ms=250
        )
        self.counted = counter_table(known)
        self.peer.add_in(self.table)
        self.peer.add_in(self.counted)
        self.report = Report(node.name)

    def take(self, frame: Buffer, now: int) -> _core.Received:
        """Take a frame; the answer is in what is returned."""
        if len(frame) >= _BODY and frame[3] == BYE:
            length = min(int.from_bytes(frame[_REASON + 2 : _REASON + 4], "little"), _BODY - _TEXT)
            text = bytes(frame[_TEXT : _TEXT + length]).decode("utf-8", "replace")
            printable = "".join(c if c.isprintable() else "?" for c in text)
            self.report.refusal = int.from_bytes(frame[_REASON : _REASON + 2], "little"), printable
        return self.peer.receive(frame, now)

    def read(self, now: int, began: int) -> None:
        """Bring the report up to date with what the node says."""
        status = read_status(self.table, self.report.node, self.order)
        if status is None:
            return
        if self.report.after_ms is None:
            self.report.after_ms = (now - began) / 1e6
        self.report.status, self.report.counts = status, read_counts(self.counted)
        ahead = (written_at(self.table) - time.time_ns()) / 1e6
        self.report.ahead_ms = ahead if self.report.ahead_ms is None else max(ahead, self.report.ahead_ms)


def look(
    tree: RunningTree, key: NodeKey, processes: Sequence[ProcessLook], wait_s: float = WAIT_S
) -> dict[str, Report]:
    """Connect to every listening node and return what each said within `wait_s`.

    Nodes of processes that do not run are waited for a shorter time, once all others have answered.
    """
    began, known = time.monotonic_ns(), registry()
    still = {name for process in processes if process.state in ("stopped", "gone") for name in process.nodes}
    listening = [node for node in tree.nodes if node.port]
    sessions = {node.name: Session(tree, node, known) for node in listening}
    with WireContext(Access(), now_ns=began, now_s=time.time()) as wire:
        board = connected(wire, key, listening, sessions)
        while not _over(sessions, still, (time.monotonic_ns() - began) / 1e9, wait_s):
            board.turn(TURN_MS)
            _turn(board, key.node, sessions, began)
        now = time.monotonic_ns()
        for node_name, session in sessions.items():
            for frame in session.peer.bye(_LEAVE, "looked", now):
                board.send(key.node, node_name, frame)
    return {name: session.report for name, session in sessions.items()}


def connected(
    wire: WireContext, key: NodeKey, listening: Sequence[RunningNode], sessions: Mapping[str, Session]
) -> Switchboard:
    """Return a switchboard that connects to every one of these nodes."""
    board = Switchboard(wire)
    for k, node in enumerate(listening):
        address = ParentAddress(node.name, f"tcp://{_literal(node.host)}:{node.port}", node.public.encode())
        try:
            endpoint = NodeEndpoint(wire, key.node, key.pair, parent=address, jitter_seed=k)
            endpoint.open(time.monotonic_ns())
        except (TiertwinError, ValueError) as error:
            sessions[node.name].report.trouble = str(error)
            continue
        board.connect(endpoint, node.name)
    return board


def _over(sessions: dict[str, Session], still: set[str], waited_s: float, wait_s: float) -> bool:
    missing = [name for name, session in sessions.items() if session.report.status is None]
    limit = min(SHORT_S, wait_s) if all(name in still for name in missing) else wait_s
    return not missing or waited_s >= limit


def _turn(board: Switchboard, us: str, sessions: dict[str, Session], began: int) -> None:
    now = time.monotonic_ns()
    while board.events:
        _, event = board.events.popleft()
        session = sessions[event.peer]
        if event.kind == "up":
            session.report.trouble = ""
            replies = session.peer.connect(now)
        else:
            session.report.trouble = event.reason
            replies = session.peer.lost(now).reply
        send(board, us, event.peer, replies)
    while board.frames:
        sender, _, frame = board.frames.popleft()
        send(board, us, sender, sessions[sender].take(frame, now).reply)
        sessions[sender].read(now, began)
    for name, session in sessions.items():
        if now >= session.peer.next_ns:
            send(board, us, name, session.peer.tick(now).reply)


def send(board: Switchboard, us: str, node: str, frames: Sequence[bytes]) -> None:
    """Send frames to a node; what is not taken is lost, and asked for again."""
    for frame in frames:
        board.send(us, node, frame)


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
