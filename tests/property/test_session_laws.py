"""Laws of the session table: cursors and terms only rise, duplicates and unlisted inputs change nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiertwin import _core

INPUTS, STATES, EFFECTS = _core.SESSION_INPUTS, _core.SESSION_STATES, _core.SESSION_EFFECTS
MS = 1_000_000
FIELDS = (
    "state", "suspect", "attached", "incarnation", "term", "stream", "cursor", "whole", "as_of", "staged", "failures",
    "wait_at", "log_first", "sent", "acked", "snapshot_out", "retry_at", "banned_until",
)  # fmt: skip

small = st.integers(0, 12)
steps = st.lists(
    st.tuples(
        st.sampled_from(sorted(INPUTS)),
        st.sampled_from([0, 1, 50, 300, 1000, 12_000]),
        st.fixed_dictionaries(
            {
                "first": small,
                "last": small,
                "stream": st.sampled_from([5, 6]),
                "incarnation": st.integers(1, 3),
                "term": small,
                "index": st.integers(0, 2),
                "count": st.just(3),
                "reason": st.integers(0, 4),
                "agree": st.booleans(),
                "allowed": st.booleans(),
                "echoed_at": st.integers(-1, 40).map(lambda n: 300 * n * MS),
            }
        ),
        st.integers(0, 3),
    ),
    max_size=60,
)


def _view(session: _core.Session) -> tuple[object, ...]:
    return tuple(getattr(session, name) for name in FIELDS)


@given(history=steps)
def test_any_history(history):
    session, now = _core.Session(), 0
    for kind, wait_ms, facts, sent in history:
        now += wait_ms * MS
        before, at = _view(session), (session.stream, session.cursor, session.term, session.incarnation)
        row, effects = session.apply(INPUTS[kind], now, **facts)
        stream, cursor, term, incarnation = at
        assert session.term >= term
        assert session.incarnation >= incarnation
        assert session.stream != stream or session.cursor >= cursor
        assert session.acked <= session.sent
        if row == len(_core.session_rows()) - 1:
            changed = {name for name, old in zip(FIELDS, before, strict=True) if getattr(session, name) != old}
            assert changed <= {"suspect"}  # any frame is a sign of life
        if effects & EFFECTS["apply"]:
            assert facts["first"] <= cursor + 1 <= facts["last"] + 1
            assert session.cursor == facts["last"]
        if session.state in (STATES["gapped"], STATES["resyncing"]):
            assert session.wait_at < 2**63 - 1  # every waiting state has its timeout
        if session.attached and (session.acked < session.sent):
            session.note_sent(session.sent, now)
            assert session.retry_at < 2**63 - 1
        assert session.attached == (session.state in (STATES["live"], STATES["gapped"], STATES["resyncing"]))
        if session.attached:
            session.note_sent(session.sent + sent, now)


@given(cursor=st.integers(0, 20), frames=st.lists(st.tuples(st.integers(1, 25), st.integers(0, 6)), max_size=25))
def test_records_take_effect_once_and_in_order_whatever_comes(cursor, frames):
    """Laws 1 and 2 of a stream: what is applied is a run without gap or duplicate."""
    session = _core.Session()
    hello = {"first": 1, "last": cursor, "stream": 5, "incarnation": 1}
    session.apply(INPUTS["hello"], 0, **hello)
    session.apply(INPUTS["snapshot"], 0, index=0, count=1, last=cursor)
    session.apply(INPUTS["complete"], 0, last=cursor)
    applied: list[int] = []
    for first, more in frames:
        before = session.cursor
        _, effects = session.apply(INPUTS["delta"], 0, first=first, last=first + more)
        if effects & EFFECTS["apply"]:
            applied += range(max(first, before + 1), first + more + 1)
        _, effects = session.apply(INPUTS["delta"], 0, first=first, last=first + more)
        assert not effects & EFFECTS["apply"]
    assert applied == list(range(cursor + 1, session.cursor + 1))
