"""The session rules again, slowly: one method an input, nested ifs, written from the rules and not from the table.

Times are nanoseconds. `apply` returns the set of effect names. Never shipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MS, SECOND = 1_000_000, 1_000_000_000
NEVER = 2**63 - 1
NO_NUMBER = 2**64 - 1
LONG_AGO = -(2**63) // 4
OPEN = ("live", "gapped", "resyncing")
FRAMES = ("hello", "welcome", "delta", "ack", "snapshot", "resync", "heartbeat", "bye", "barrier", "solver")


@dataclass
class Event:
    """What happened; unused fields stay as they are."""

    first: int = 0
    last: int = 0
    stream: int = 0
    incarnation: int = 0
    term: int = 0
    index: int = 0
    count: int = 0
    reason: int = 0
    agree: bool = True
    allowed: bool = True
    echoed_at: int = LONG_AGO


@dataclass
class Session:
    """State towards one peer."""

    state: str = "new"
    suspect: bool = False
    attached: bool = False
    incarnation: int = 0
    term: int = 0
    stream: int = 0
    cursor: int = 0
    whole: bool = False
    as_of: int = 0
    staged: int = 0
    failures: int = 0
    tries: int = 0
    asked_at: int = LONG_AGO
    wait_at: int = NEVER
    wait_every: int = 300 * MS
    log_first: int = 1
    sent: int = 0
    acked: int = 0
    acked_at: int = LONG_AGO
    snapshot_out: bool = False
    snapshot_as_of: int = NO_NUMBER
    wanted_at: int = 0
    retry_at: int = NEVER
    retry_every: int = 300 * MS
    patience: int = 300 * MS
    srtt: int = -1
    rttvar: int = 0
    timed: int | None = None
    timed_at: int = 0
    heard_at: int = NEVER
    unknown_at: int = LONG_AGO
    banned_until: int = LONG_AGO
    bans: int = 0
    bad_at: list[int] = field(default_factory=list)

    def apply(self, kind: str, e: Event, now: int) -> set[str]:
        """Move by one input."""
        if self.state == "banned":
            return self._banned(kind, now)
        if kind in FRAMES and self.heard_at != NEVER:
            self.heard_at, self.suspect = now, False
        return getattr(self, f"_{kind}")(e, now)

    # --- timers and states
    def _start_wait(self, now: int) -> None:
        self.tries, self.wait_every = 0, self.patience
        self.wait_at = now + self.wait_every

    def _wait_longer(self, now: int) -> None:
        self.tries += 1
        self.wait_every = min(2 * self.wait_every, 2 * SECOND)
        self.wait_at = now + self.wait_every

    def _go(self, state: str, now: int) -> None:
        if state == self.state:
            return
        self.state = state
        if state == "live":
            self.wait_at = NEVER
        elif state in ("gapped", "resyncing"):
            self._start_wait(now)
            if state == "resyncing":
                self.failures = 0
        else:
            self._detach()

    def _detach(self) -> None:
        self.attached = self.suspect = False
        self.wait_at = self.retry_at = self.heard_at = NEVER
        self.staged = self.as_of = 0

    def _begin(self, e: Event) -> None:
        self.incarnation, self.suspect, self.attached = e.incarnation, False, True
        self.failures, self.snapshot_out = 0, False
        self.retry_every, self.timed = self.patience, None
        self.wait_at = self.retry_at = NEVER
        self.staged = self.as_of = 0
        if e.stream != self.stream:
            self.stream, self.cursor, self.whole = e.stream, 0, False

    def _owing(self) -> bool:
        return self.acked < self.sent or self.snapshot_out

    def _unlisted(self) -> set[str]:
        return {"drop", "unlisted"}

    def _stranger(self, now: int) -> set[str]:
        if now < self.unknown_at + SECOND:
            return {"drop"}
        self.unknown_at = now
        return {"bye_unknown", "drop"}

    def _banned(self, kind: str, now: int) -> set[str]:
        if kind not in (*FRAMES, "bad_frame", "open"):
            return self._unlisted()
        if now < self.banned_until:
            return {"drop"}
        if kind == "open":
            return self._open(Event(), now)
        self._go("new", now)
        self.unknown_at = now
        return {"bye_unknown", "drop"}

    # --- attaching
    def _open(self, _e: Event, now: int) -> set[str]:
        self._go("new", now)
        self._detach()
        self.heard_at = now
        self._start_wait(now)
        return {"send_hello"}

    def _resumes(self, e: Event) -> bool:
        return e.agree and self.whole and e.stream == self.stream and e.first - 1 <= self.cursor <= e.last

    def _attach(self, e: Event, now: int) -> bool:
        resumes = self._resumes(e)
        self._begin(e)
        self._go("live" if resumes else "resyncing", now)
        if not resumes:
            self._start_wait(now)
        self.heard_at = now
        return resumes

    def _hello(self, e: Event, now: int) -> set[str]:
        if e.incarnation < self.incarnation:
            return {"bye_fenced", "drop"}
        if self._attach(e, now):
            return {"begin", "welcome_resume"}
        return {"begin", "welcome_snapshot", "stale"}

    def _welcome(self, e: Event, now: int) -> set[str]:
        if self.state == "lost":
            return self._unlisted()
        if e.incarnation < self.incarnation or e.term <= self.term:
            return {"drop"}
        resumes = self._attach(e, now)
        self.term = e.term
        return {"begin"} if resumes else {"begin", "stale"}

    def _in_log(self, e: Event) -> bool:
        return self.log_first - 1 <= e.first <= self.sent

    def _rise(self, number: int, now: int) -> bool:
        if number > self.acked:
            self.acked, self.acked_at = number, now
            return True
        return False

    def _send_from(self, cursor: int, now: int) -> set[str]:
        self._rise(cursor, now)
        self.snapshot_out, self.timed = False, None
        if not self._owing():
            self.retry_at = NEVER
        return {"send_from"}

    def _send_snapshot(self, cursor: int) -> set[str]:
        self.wanted_at = cursor
        self.acked, self.snapshot_out, self.snapshot_as_of, self.timed = 0, True, NO_NUMBER, None
        return {"send_snapshot"}

    def _offer(self, e: Event, now: int) -> set[str]:
        if self.state not in OPEN:
            return self._unlisted()
        if e.agree and e.reason not in (3, 4) and self._in_log(e):
            if e.first < self.acked:
                self.acked, self.acked_at = e.first, now
            return self._send_from(e.first, now)
        return self._send_snapshot(e.first if e.agree else 0)

    # --- what the peer sends
    def _delta(self, e: Event, now: int) -> set[str]:
        if self.state not in OPEN:
            return self._stranger(now)
        if self.state == "resyncing":
            return {"drop"}
        if self.state == "gapped":
            if not e.first <= self.cursor + 1 <= e.last:
                return {"drop"}
            self._go("live", now)
        elif e.first != self.cursor + 1 and e.last <= self.cursor:
            return {"drop", "ack_now"}
        elif e.first > self.cursor + 1:
            self._go("gapped", now)
            return {"drop", "resync_gap"}
        self.cursor = e.last
        return {"apply"}

    def _stage(self, e: Event, now: int) -> set[str]:
        self.as_of, self.staged = e.last, e.index + 1
        self._start_wait(now)
        return {"stage"}

    def _ask_chunk(self, now: int) -> set[str]:
        self.asked_at = now
        self.tries += 1
        return {"drop", "resync_chunk"}

    def _fail(self, now: int) -> set[str]:
        self._go("lost", now)
        return {"bye_failed", "alarm", "stale", "drop"}

    def _snapshot(self, e: Event, now: int) -> set[str]:  # noqa: PLR0911  one a rule
        if self.state not in OPEN:
            return self._stranger(now)
        if self.state != "resyncing":
            if e.last > self.cursor:
                self._go("resyncing", now)
                return self._stage(e, now) if e.index == 0 else self._ask_chunk(now)
            return {"drop", "ack_now"} if self.state == "live" else self._unlisted()
        if e.last < self.cursor:
            return {"drop"}
        anew = e.index == 0 and (self.staged == 0 or e.last > self.as_of)
        goes_on = e.index > 0 and e.index == self.staged and e.last == self.as_of
        if anew or goes_on:
            return self._stage(e, now)
        if e.last < self.as_of or (e.last == self.as_of and e.index < self.staged):
            return {"drop"}
        if now < self.asked_at + self.patience:
            return {"drop"}
        return self._ask_chunk(now) if self.tries < 2 else self._fail(now)

    def _complete(self, e: Event, now: int) -> set[str]:
        if self.state != "resyncing":
            return self._unlisted()
        if e.agree:
            self.cursor, self.whole = self.as_of, True
            self._go("live", now)
            self.staged = self.as_of = 0
            return {"swap", "ack_now"}
        if self.failures >= 2:
            return self._fail(now)
        self.failures += 1
        self.asked_at = now
        self.staged = self.as_of = 0
        return {"drop", "resync_chunk"}

    # --- the peer's wishes
    def _resync(self, e: Event, now: int) -> set[str]:  # noqa: PLR0911  one a rule
        if self.state not in OPEN:
            return self._stranger(now)
        if e.reason == 2:
            return {"alarm"}
        if e.first > self.sent:
            return {"bad", "drop"}
        if e.reason == 4 and self.snapshot_out:
            self.timed = None
            return {"send_chunks"}
        if e.first < self.acked:
            return {"drop"}
        if e.agree and e.reason not in (3, 4) and self._in_log(e):
            return self._send_from(e.first, now)
        return self._send_snapshot(e.first)

    def _ack(self, e: Event, now: int) -> set[str]:
        if self.state not in OPEN:
            return self._stranger(now)
        if e.last > self.sent:
            return {"bad", "drop"}
        if e.last < self.acked:
            return {"drop"}
        moved = self._rise(e.last, now)
        enough = self.wanted_at + 1 if self.snapshot_as_of == NO_NUMBER else self.snapshot_as_of
        if self.snapshot_out and e.last >= enough:
            self.snapshot_out = False
        if self.timed is not None and e.last >= self.timed:
            self._measure(now - self.timed_at)
        if not self._owing():
            self.retry_at = NEVER
        elif moved:
            self.retry_at = now + self.retry_every
        return {"truncate"}

    def _measure(self, took: int) -> None:
        """Jacobson and Karels: mean and mean deviation, gains 1/8 and 1/4, in whole nanoseconds rounded to zero."""
        toward_zero = lambda x, n: int(abs(x) // n) * (1 if x > 0 else -1)  # noqa: E731
        self.timed = None
        if self.srtt < 0:
            self.srtt, self.rttvar = took, took // 2
        else:
            self.rttvar += toward_zero(abs(took - self.srtt) - self.rttvar, 4)
            self.srtt += toward_zero(took - self.srtt, 8)
        self.patience = min(max(self.srtt + 4 * self.rttvar, 300 * MS), 2 * SECOND)
        self.retry_every = self.patience

    # --- timers
    def _wait(self, _e: Event, now: int) -> set[str]:
        if self.state == "new":
            self._wait_longer(now)
            return {"send_hello"}
        if self.state == "gapped":
            if self.tries < 2:
                self._wait_longer(now)
                return {"resync_gap"}
            self._go("resyncing", now)
            return {"resync_snapshot"}
        if self.state == "resyncing":
            self._wait_longer(now)
            self.asked_at = now
            return {"resync_chunk"}
        return self._unlisted()

    def _retry(self, _e: Event, now: int) -> set[str]:
        if self.state not in OPEN or not self._owing():
            return self._unlisted()
        self.retry_every, self.timed = min(2 * self.retry_every, 2 * SECOND), None
        self.retry_at = now + self.retry_every
        return {"retransmit"}

    # --- life and trust
    def _heartbeat(self, e: Event, now: int) -> set[str]:
        if self.state not in OPEN:
            return self._stranger(now)
        if self.state == "live" and e.last == self.cursor and not e.agree:
            self._go("resyncing", now)
            return {"note", "alarm", "resync_snapshot"}
        if self.acked > e.first and e.echoed_at > self.acked_at:
            return {"note"} | self._send_snapshot(e.first)
        return {"note"}

    def _hand_on(self, e: Event, now: int) -> set[str]:
        if self.state not in OPEN:
            return self._stranger(now)
        return {"hand_on"} if self.state == "live" and e.allowed else self._unlisted()

    _barrier = _solver = _hand_on

    def _silence(self, _e: Event, _now: int) -> set[str]:
        if self.state == "lost":
            return self._unlisted()
        self.suspect = True
        return {"suspect"}

    def _end(self, _e: Event, now: int) -> set[str]:
        if self.state == "lost":
            return self._unlisted()
        self._go("lost", now)
        return {"stale"}

    _bye = _death = _unreachable = _end

    def _bad_frame(self, _e: Event, now: int) -> set[str]:
        recent = [at for at in self.bad_at[-2:] if at > now - 60 * SECOND]
        if len(recent) < 2:
            self.bad_at.append(now)
            return {"drop"}
        self._go("banned", now)
        self.banned_until = now + min(10 * SECOND * 2 ** min(self.bans, 6), 600 * SECOND)
        self.bans += 1
        self.bad_at.clear()
        return {"bye_banned", "stale", "drop"}

    def note_sent(self, last: int, now: int) -> None:
        """Records up to `last` left."""
        if last > self.sent and self.timed is None:
            self.timed, self.timed_at = last, now
        self.sent = max(self.sent, last)
        if self.retry_at == NEVER and self._owing():
            self.retry_at = now + self.retry_every

    def note_snapshot(self, number: int, now: int) -> None:
        """A snapshot as of `number` left."""
        self.log_first = number + 1
        self.snapshot_as_of = number
        self.note_sent(number, now)
