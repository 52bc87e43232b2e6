"""Everything a running tree counts, as one table: a stable name, a unit, the id of the promise or rule it shows, help.

``tiertwin inspect``, the metrics endpoint and docs/counters.md read this table and have no names of their own. The
counting itself happens where things happen; `source` says where that is and what it is called there:

    refused     frames a session refused, by the codec's reason          `Twin.counters`
    peer        what the sessions of a node count, summed over them      `_core.Peer.counters`
    note        entries of a node's log, by what they say                `NodeBook`
    twin        what the controller counts                               `counting.controller_counts`
    endpoint    what a node's sockets refused or dropped                 `NodeEndpoint.counters`
    door        handshakes of a process                                  `Admission`
    pool        a process's way to the solver pool                       `LivePool`
    observers   sessions of observers of a process                       `Observers`
    host        the loop of a process                                    `LiveHost`
    log         the log of a node                                        `DurableNode`
    launcher    the program that started the tree                        `Launcher`

Rows are numbered by their order here, and the number travels: new rows go to the end, old ones stay.
"""

from __future__ import annotations

from dataclasses import dataclass

NODE, PROCESS, LAUNCHER = "node", "process", "launcher"
_SCOPES = {"door": PROCESS, "pool": PROCESS, "observers": PROCESS, "host": PROCESS, "launcher": LAUNCHER}


@dataclass(frozen=True, slots=True)
class Counter:
    """A row of the registry.

    Parameters
    ----------
    family, reason
        Name of the metric and the value of its label `reason`; no reason: the family has this row only.
    unit
        What is counted.
    rule
        Id of the promise (P…), rule (R…) or ladder step (S…) that it shows.
    help
        What one more means.
    source
        Where it is counted, and under which key.
    """

    family: str
    reason: str
    unit: str
    rule: str
    help: str
    source: tuple[str, str]

    @property
    def name(self) -> str:
        """Stable name: ``family.reason``, or the family alone."""
        return f"{self.family}.{self.reason}" if self.reason else self.family

    @property
    def scope(self) -> str:
        """Who has it: every node, every process of nodes, or the launcher."""
        return _SCOPES.get(self.source[0], NODE)


def _refused(rule: str, help_text: str, *reasons: str) -> list[Counter]:
    return [Counter("frames_refused", r, "frames", rule, help_text, ("refused", r)) for r in reasons]


def _of(family: str, unit: str, where: str, *rows: tuple[str, str, str, str]) -> list[Counter]:
    return [Counter(family, reason, unit, rule, text, (where, key)) for reason, rule, text, key in rows]


def _one(family: str, unit: str, rule: str, help_text: str, where: str, key: str) -> Counter:
    return Counter(family, "", unit, rule, help_text, (where, key))


COUNTERS: tuple[Counter, ...] = (
    # what sessions refused
    *_refused("R35", "its header is malformed", "too_short", "too_long", "misaligned", "magic", "version"),
    *_refused("R35", "its header names a kind or table that does not belong here", "kind", "table", "flags"),
    *_refused("R35", "its header and its length or count of records differ", "length", "count"),
    *_refused("R35", "its checksum is wrong", "checksum"),
    *_refused("R7", "it is of another life of the sender", "incarnation"),
    *_refused("R9", "its record numbers cannot be", "number"),
    *_refused("R35", "sender and receiver disagree about the table's schema", "fingerprint"),
    *_refused("R37", "its sender is not who the session is with", "identity"),
    *_refused("R21", "there is no session, or a banned one", "session"),
    *_refused("R35", "its sender may not send this", "role"),
    *_refused("R9", "records before it are missing; they are asked for", "gap"),
    *_refused("P2", "its records are here already", "duplicate"),
    *_refused("P6", "it is of an authority that was replaced", "lower_term"),
    *_refused("R35", "it belongs to the other kind of clock", "clock"),
    *_refused("R36", "its body is malformed", "body_length", "body_value", "padding", "text"),
    *_refused("R18", "its term cannot be", "term"),
    *_refused("R17", "its lease is malformed", "lease"),
    *_refused("R12", "it is not the expected part of a snapshot", "chunk"),
    *_refused("R14", "the snapshot's digest is wrong", "digest"),
    *_refused("R36", "a block of it is malformed", "block_short", "block_type", "block_flags", "block_empty"),
    *_refused("R36", "a block of it is malformed", "block_time", "block_count", "too_many_unknown"),
    *_refused("R36", "a value is out of what its attribute allows", "row", "not_finite", "range", "inexact"),
    *_refused("R36", "a value is out of what its attribute allows", "offsets", "value_length"),
    *_refused("R37", "its sender is no neighbour", "unknown_peer"),
    *_refused("R36", "the unit in it lacks cells or contradicts itself; nothing of it is taken", "unit"),
    _one("frames_unlisted", "frames", "R35", "the session's table names no row for it: dropped", "peer", "unlisted"),
    # sessions
    _one("sessions_lost", "sessions", "R20", "a neighbour was silent for 2 s, left, or its link broke", "note", "lost"),
    _one("session_bans", "bans", "R41", "three malformed frames of a neighbour in a minute", "peer", "bans"),
    _one("reconnects", "connections", "R24", "a new connection to the parent was asked for", "note", "reconnect"),
    _one(
        "digest_alarms",
        "alarms",
        "R14",
        "equal cursors and unequal digests; a snapshot follows",
        "peer",
        "alarms.digest",
    ),
    _one("snapshot_alarms", "alarms", "R12", "a snapshot failed three times", "peer", "alarms.snapshot"),
    _one("schema_alarms", "alarms", "R35", "a session ended because schemas differ", "peer", "alarms.schema"),
    _one(
        "snapshots_sent", "snapshots", "R12", "a neighbour's cursor was too old, or it restarted", "peer", "snapshots"
    ),
    _one("snapshots_taken", "snapshots", "R12", "all tables of a neighbour were swapped in one step", "peer", "swaps"),
    _one("frames_sent", "frames", "R10", "numbered frames sent for the first time", "peer", "fresh_frames"),
    _one("frames_retransmitted", "frames", "R16", "sent again: nobody acknowledged them", "peer", "again_frames"),
    _one("retransmitted_bytes", "B", "R16", "length of the frames sent again", "peer", "again_bytes"),
    _one("units_replaced", "units", "R13", "held back, then replaced by a newer one", "peer", "units_replaced"),
    _one("units_dropped", "units", "R13", "held back until the queue was full", "peer", "units_dropped"),
    # decisions
    _one("decisions", "decisions", "P5", "plans or budgets put in force", "note", "decision"),
    _one("rounds", "rounds", "P7", "certificates that the root worked out", "note", "bounds"),
    _one(
        "stale_uses",
        "leaves",
        "P14",
        "leaves in certificates whose data are of an earlier epoch: marked stale",
        "note",
        "stale",
    ),
    _one("leases_refused", "leases", "P6", "a decision older than the newest, or lapsed on arrival", "note", "refused"),
    _one(
        "leases_fenced",
        "leases",
        "R18",
        "a budget of a lower authority, refused by the session",
        "peer",
        "stale_leases",
    ),
    *_of(
        "timeouts",
        "timeouts",
        "note",
        ("gather", "P14", "children said nothing in time; the parent goes on with what it has", "timeout.gather"),
        ("budget", "P5", "no budget in time; decided inside the standing one", "timeout.budget"),
    ),
    _one("local_policy_entered", "times", "P5", "the lease lapsed: the local policy took over", "note", "local_policy"),
    _one("local_policy_epochs", "epochs", "P5", "epochs under the local policy", "twin", "local_epochs"),
    _one(
        "plans_guarded", "plans", "P7", "the standing plan was worth more than the new one and stays", "twin", "guarded"
    ),
    *_of(
        "ladder_steps",
        "answers",
        "twin",
        ("s2", "S2", "the first solver gave the answer", "step.2"),
        ("s3", "S3", "the solver behind it or the linear form gave the answer", "step.3"),
        ("s4", "S4", "an answer as the checker admitted it", "step.4"),
        ("s5", "S5", "an answer was repaired", "step.5"),
        ("s6", "S6", "the greedy allocation served", "step.6"),
        ("s7", "S7", "the last good plan served", "step.7"),
        ("s8", "S8", "the safe default served", "step.8"),
    ),
    _one("setpoints_clipped", "cells", "R19", "numbers of a parent beyond the site's own limits", "twin", "clipped"),
    _one(
        "queries_answered", "queries", "R52", "what-if questions answered; nothing follows from them", "twin", "queries"
    ),
    _one("said_unusable", "messages", "P14", "cuts and points or a budget that could not be used", "twin", "refused"),
    # a node's sockets
    *_of(
        "messages_refused",
        "messages",
        "endpoint",
        ("revoked", "R30", "the key was taken out of the table, or expired", "R30 key revoked or expired"),
        ("banned", "R41", "a ban is running", "R41 banned"),
        ("parents", "R29", "this node is none of the sender's parents", "R29 not among its parents"),
        ("identity", "R37", "the key is another's than the connection's", "R37 key of another"),
        ("old_connection", "R22", "over a connection that was replaced", "R22 frame of an old connection"),
        ("no_hello", "R22", "a new connection that begins without HELLO", "R22 no HELLO on a new connection"),
        ("earlier_life", "R22", "HELLO of an earlier life of the node", "R22 HELLO of an earlier life"),
        ("parts", "R32", "a message of more than one part", "R32 more than one part"),
        ("routing_id", "R33", "a routing id chosen by the peer", "R33 chosen routing id"),
        ("too_long", "R36", "longer than a frame may be", "R36 frame too long"),
    ),
    _one(
        "connections_replaced",
        "connections",
        "R22",
        "a neighbour came anew before its old connection ended",
        "endpoint",
        "R22 connection replaced",
    ),
    _one(
        "handshakes_failed",
        "handshakes",
        "R24",
        "the parent or the pool refused us, or cut the handshake",
        "endpoint",
        "R24 handshake failed",
    ),
    *_of(
        "frames_unsent",
        "frames",
        "endpoint",
        ("no_link", "R25", "there is no connection; sessions send again what counts", "R25 no link"),
        ("peer_gone", "R25", "the connection is gone", "R25 peer gone"),
        ("back_pressure", "R25", "the peer takes nothing more at present", "R25 back-pressure"),
    ),
    # a process
    _one("handshakes_admitted", "handshakes", "R29", "a listed key came in", "door", "admitted"),
    *_of(
        "handshakes_refused",
        "handshakes",
        "door",
        ("malformed", "R27", "a request of libzmq that is none", "R27 malformed request"),
        ("unanswered", "R27", "the verdict could not be sent", "R27 answer not sent"),
        ("mechanism", "R27", "another mechanism than CURVE, or another domain", "R27 other domain or mechanism"),
        ("error", "R27", "the judgement itself failed", "R27 error in the judgement"),
        ("unknown_key", "R29", "nobody listed the key", "R29 unknown key"),
        ("expired_key", "R29", "the key is no longer valid", "R29 expired key"),
        ("too_many", "R29", "more than 30 a minute", "R29 too many handshakes"),
        ("banned", "R41", "a ban is running", "R41 banned key"),
    ),
    _one(
        "sends_failed",
        "frames",
        "R25",
        "the loop could not hand a frame over, for a reason of `frames_unsent`",
        "host",
        "R25 not sent",
    ),
    _one(
        "reports_dropped", "reports", "P8", "reports that the launcher did not read in time", "host", "reports dropped"
    ),
    _one("solves_asked", "problems", "R44", "given to the solver pool", "pool", "asked"),
    _one("solves_answered", "problems", "R44", "answered by the pool in time", "pool", "answered"),
    _one("solves_late", "answers", "R44", "answers after their deadline, or to nobody: dropped", "pool", "late"),
    *_of(
        "solves_given_up",
        "problems",
        "pool",
        ("no_link", "S6", "there was no way to the pool", "no pool"),
        ("deadline", "S6", "no answer by the deadline", "S6 for lateness"),
        ("silence", "S6", "not waited for: the pool was silent", "S6 for silence"),
    ),
    _one("observers_admitted", "sessions", "R29", "observers that began a session", "observers", "observers"),
    _one(
        "observers_refused",
        "sessions",
        "R13",
        "observers that had to leave for another",
        "observers",
        "observers refused",
    ),
    _one(
        "observer_frames_refused",
        "frames",
        "R35",
        "frames of observers that were refused",
        "observers",
        "refused frames of observers",
    ),
    # the launcher
    _one(
        "solvers_killed", "processes", "R44", "a worker held a problem past its deadline", "launcher", "solvers killed"
    ),
    _one(
        "solvers_started_again",
        "processes",
        "R6",
        "a worker took the place of one that ended",
        "launcher",
        "solvers started again",
    ),
    _one("processes_lost", "processes", "R6", "a process of the tree ended by itself", "launcher", "processes lost"),
    _one(
        "processes_started_again",
        "processes",
        "R6",
        "a process of twins was started in the place of one that ended",
        "launcher",
        "processes started again",
    ),
    _one(
        "processes_degraded",
        "processes",
        "R6",
        "a process was given up: it is not started again",
        "launcher",
        "processes degraded",
    ),
    _one("pool_served", "problems", "R44", "answers that went through the pool's front", "launcher", "served"),
    _one(
        "doors_reopened",
        "times",
        "R30",
        "the door was closed and opened again: for another key, or for a flood of a revoked one",
        "endpoint",
        "R30 listened anew",
    ),
    # logs
    *_of(
        "log",
        "times",
        "log",
        ("resumed", "P4", "a node went on from the log of an earlier life", "log_resumed"),
        ("begun", "R49", "a node began a log, for there was none that could be read", "log_begun"),
        ("frames", "R45", "frames put into the log", "log_frames"),
        ("groups", "R46", "groups written and synced", "log_groups"),
        ("snapshots", "R48", "snapshots of the log", "log_snapshots"),
        ("left_out", "P13", "frames not kept while the disk was full; their tables are, afterwards", "log_left_out"),
        ("disk_full", "P13", "the disk took no more: nothing is acknowledged as durable", "disk_full"),
        ("disk_back", "P13", "the disk took what had waited", "disk_back"),
    ),
    _one("log_bytes", "bytes", "R45", "bytes of frames put into the log", "log", "log_bytes"),
    *_refused("R36", "it has an attribute that may not cross the border of a domain", "privacy"),
    *_of(
        "messages_refused",
        "messages",
        "endpoint",
        ("rights", "R29", "the sender's key has no right to send this kind", "R29 without the right to it"),
    ),
)

TRAVELLING = tuple(c for c in COUNTERS if c.scope != LAUNCHER)  # what a node tells, in this order
BY_NAME = {counter.name: counter for counter in COUNTERS}
