"""The table in C++ and the rules in plain Python move alike on random histories; the table answers everything."""

from __future__ import annotations

import itertools
import random

import pytest

from reference import session as naive
from tiertwin import _core

STATES, INPUTS, EFFECTS = _core.SESSION_STATES, _core.SESSION_INPUTS, _core.SESSION_EFFECTS
FIELDS = (
    "suspect", "attached", "incarnation", "term", "stream", "cursor", "whole", "as_of", "staged", "failures", "wait_at",
    "log_first", "sent", "acked", "acked_at", "snapshot_out", "retry_at", "retry_every", "patience",
    "srtt", "heard_at", "banned_until",
)  # fmt: skip


def _names(mask: int) -> set[str]:
    return {name for name, bit in EFFECTS.items() if mask & bit}


def _draw(rng: random.Random, ours: _core.Session, kind: str) -> dict[str, int | bool]:
    """Facts near the borders of the conditions."""
    near = lambda x: max(0, x + rng.choice([-2, -1, 0, 0, 1, 2]))  # noqa: E731
    first = near(rng.choice([ours.cursor + 1, ours.cursor, ours.acked, ours.log_first, ours.sent]))
    last = near(rng.choice([ours.cursor, ours.as_of, ours.sent, ours.acked, first + 2]))
    if kind == "delta":
        first, last = max(first, 1), max(first, last, 1)
    return {
        "first": first,
        "last": last,
        "stream": rng.choice([5, 5, 5, 6]),
        "incarnation": max(0, ours.incarnation + rng.choice([0, 0, 0, 0, 1, -1])),
        "term": max(0, ours.term + rng.choice([1, 1, 1, 0])),
        "index": rng.choice([0, ours.staged, ours.staged, ours.staged + 1]),
        "count": 3,
        "reason": rng.choice([1, 1, 2, 3, 4]) if kind == "resync" else 0,
        "agree": rng.random() < 0.8,
        "allowed": rng.random() < 0.8,
        "echoed_at": ours.acked_at + rng.choice([-1, 0, 1]) * naive.MS,
    }


# Often enough to stay in sessions for a while, and everything now and then.
WEIGHTS = {"delta": 8, "snapshot": 6, "complete": 4, "ack": 4, "heartbeat": 3, "hello": 3, "welcome": 3, "offer": 3,
           "resync": 3, "wait": 3, "retry": 3}  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_random_histories_move_alike(seed):
    rng = random.Random(seed)
    ours, theirs, now = _core.Session(), naive.Session(), 0
    kinds, weights = list(INPUTS), [WEIGHTS.get(kind, 1) / 2 for kind in INPUTS]
    for _ in range(400):
        now += rng.choice([0, 1, 50, 299, 300, 1000, 9000]) * naive.MS
        kind = rng.choices(kinds, weights)[0]
        facts = _draw(rng, ours, kind)
        _, effects = ours.apply(INPUTS[kind], now, **facts)
        assert _names(effects) == theirs.apply(kind, naive.Event(**facts), now), (kind, facts)
        if rng.random() < 0.15 and ours.attached:
            last = ours.sent + rng.randrange(3)
            ours.note_sent(last, now)
            theirs.note_sent(last, now)
        if ours.snapshot_out and rng.random() < 0.3:
            number = ours.sent + rng.randrange(2)
            ours.note_snapshot(number, now)
            theirs.note_snapshot(number, now)
        assert ours.state == STATES[theirs.state]
        for name in FIELDS:
            assert getattr(ours, name) == getattr(theirs, name), (name, kind, facts)


def test_histories_reach_every_row_of_the_table():
    seen: set[int] = set()
    kinds, weights = list(INPUTS), [WEIGHTS.get(kind, 1) / 2 for kind in INPUTS]
    for seed in range(200):
        rng = random.Random(1000 + seed)
        ours, now = _core.Session(), 0
        for _ in range(300):
            now += rng.choice([0, 1, 299, 300, 1000, 9000]) * naive.MS
            kind = rng.choices(kinds, weights)[0]
            row, _ = ours.apply(INPUTS[kind], now, **_draw(rng, ours, kind))
            seen.add(row)
            if rng.random() < 0.15 and ours.attached:
                ours.note_sent(ours.sent + rng.randrange(3), now)
    assert seen == set(range(len(_core.session_rows())))


def test_every_state_answers_every_input_and_unlisted_ones_change_nothing():
    rows = _core.session_rows()
    for state, kind in itertools.product(STATES.values(), INPUTS.values()):
        answers = [r for r in rows if r[0] >> state & 1 and r[1] >> kind & 1]
        assert answers, (state, kind)
        assert answers[-1] == rows[-1]
    assert _names(rows[-1][4]) == {"drop", "unlisted"}
    assert rows[-1][3] == -1
