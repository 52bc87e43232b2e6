"""The judgement at the door: listed, in time, not banned, not too often. Pure; `zap.py` carries it to libzmq.

Times are arguments: `now_ns` monotonic for windows and bans, `now_s` of the wall for the end of a key's validity.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from tiertwin.wire.access import ANY, Access, Grant

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HANDSHAKES_A_MINUTE = 30
BAD_FRAMES = 3  # in a minute: banned
ENTRIES = 1024  # kept for an audit until somebody takes them
FIRST_BAN_NS, LONGEST_BAN_NS = 10 * SECOND_NS, 600 * SECOND_NS


@dataclass(slots=True)
class _Record:
    """What is remembered of one listed key; so memory is bounded by the table."""

    handshakes: deque[int] = field(default_factory=deque)  # admitted within the last minute
    bad: deque[int] = field(default_factory=deque)
    bans: int = 0
    banned_until: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal, for people: of whom (a node, or the beginning of an unknown key), from where, why."""

    who: str
    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Something at the door that an audit wants to know: `admitted`, `refused`, `banned` or `table`."""

    what: str
    who: str
    address: str = ""
    reason: str = ""


class Admission:
    """Decides who may connect, and who may go on.

    Parameters
    ----------
    access
        The table; replaced as a whole.
    handshakes_a_minute
        Limit a key (R29); for a key that may attach to every node, a key and listening node here.
    """

    def __init__(self, access: Access, handshakes_a_minute: int = HANDSHAKES_A_MINUTE) -> None:
        self.access = access
        self.limit = handshakes_a_minute
        self.doors = 0  # listening nodes of this process
        self.now_ns = 0
        self.now_s = 0.0
        self.refused: Counter[str] = Counter()
        self.admitted = 0
        self.latest: deque[Refusal] = deque(maxlen=32)
        self.entries: deque[Entry] = deque()
        self.unkept = 0  # entries beyond `ENTRIES`
        self.proofs: dict[str, bool] = {}  # unknown keys of start-up proofs: was it seen (and refused)?
        self._records: dict[str, _Record] = {}

    def swap(self, access: Access) -> None:
        """Take another table; keys that are gone are forgotten with their bans."""
        before, now = ({g.public: g.node for g in table.grants} for table in (self.access, access))
        for public in sorted(before.keys() - now.keys()):
            self._note("table", before[public], reason=f"key {public[:8]}… taken out")
        for public in sorted(now.keys() - before.keys()):
            self._note("table", now[public], reason=f"key {public[:8]}… listed")
        self.access = access
        self._records = {key: record for key, record in self._records.items() if access.grant(key) is not None}

    def knock(self, public: str, address: str) -> Grant | None:
        """Judge a handshake that proved to hold `public`; None: refused, and why is counted."""
        if public in self.proofs:
            self.proofs[public] = True
            return None
        grant = self.access.grant(public)
        reason = self._objection(public, grant)
        if reason:
            self.refuse(reason, address, grant.node if grant else f"key {public[:8]}…")
            return None
        assert grant is not None
        self._record(public).handshakes.append(self.now_ns)
        self.admitted += 1
        self._note("admitted", grant.node, address, f"key {public[:8]}…")
        return grant

    def _objection(self, public: str, grant: Grant | None) -> str:
        if grant is None:
            return "R29 unknown key"
        if self.now_s >= grant.not_after_s:
            return "R29 expired key"
        if self.is_banned(public):
            return "R41 banned key"
        recent = self._record(public).handshakes
        while recent and recent[0] <= self.now_ns - MINUTE_NS:
            recent.popleft()
        most = self.limit * max(self.doors, 1) if ANY in grant.parents else self.limit
        return "R29 too many handshakes" if len(recent) >= most else ""

    def refuse(self, reason: str, address: str = "", who: str = "") -> None:
        """Count a refusal."""
        self.refused[reason] += 1
        self.latest.append(Refusal(who, address, reason))
        self._note("refused", who, address, reason)

    def valid(self, public: str) -> Grant | None:
        """Return the grant under which a frame of this key may pass now; None: revoked or expired (R30)."""
        grant = self.access.grant(public)
        return grant if grant is not None and self.now_s < grant.not_after_s else None

    # -- bans ----------------------------------------------------------------------------------------------------------
    def bad_frame(self, public: str) -> bool:
        """Note a malformed message; True when it was the third in a minute and the key is banned now (R41)."""
        record = self._record(public)
        record.bad.append(self.now_ns)
        while record.bad[0] <= self.now_ns - MINUTE_NS:
            record.bad.popleft()
        if len(record.bad) < BAD_FRAMES:
            return False
        record.bad.clear()
        self.ban(public, min(FIRST_BAN_NS << min(record.bans, 16), LONGEST_BAN_NS))
        record.bans += 1
        return True

    def ban(self, public: str, for_ns: int) -> None:
        """Refuse frames and handshakes of a key for a while."""
        record = self._record(public)
        record.banned_until = max(record.banned_until, self.now_ns + for_ns)
        grant = self.access.grant(public)
        self._note(
            "banned", f"key {public[:8]}…" if grant is None else grant.node, reason=f"for {for_ns / SECOND_NS:g} s"
        )

    def is_banned(self, public: str) -> bool:
        """Whether a ban is running."""
        record = self._records.get(public)
        return record is not None and self.now_ns < record.banned_until

    def take_entries(self) -> list[Entry]:
        """Return what happened at the door since the last call, in order; beyond `ENTRIES` it is only counted."""
        taken = list(self.entries)
        self.entries.clear()
        return taken

    def _note(self, what: str, who: str, address: str = "", reason: str = "") -> None:
        if len(self.entries) >= ENTRIES:
            self.unkept += 1
            return
        self.entries.append(Entry(what, who, address, reason))

    def _record(self, public: str) -> _Record:
        return self._records.setdefault(public, _Record())
