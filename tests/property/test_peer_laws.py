"""Laws of two peers over a faulty channel: they converge after it heals (laws 1, 7, 9; R7–R13, R17, R18)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from support.peer_pair import BUDGET, CUT, EVENT, MS, PRICE, QUERY, QUOTA, ROUND, Pair

SEEDS, RESTART_SEEDS = 320, 120
VALIDITY_MS = 60_000


@dataclass
class Said:
    """The last value said in each unit table by the sides that live now, and when each budget was decided."""

    query: float | None = None
    budget: float | None = None
    cuts: dict[int, float] = field(default_factory=dict)
    decided_ns: dict[float, int] = field(default_factory=dict)


def _restart(pair: Pair, said: Said) -> None:
    name = pair.rng.choice(["child", "parent"])
    pair.restart(name)
    if name == "child":
        said.cuts.clear()
    else:
        said.query = said.budget = None


def _say(pair: Pair, said: Said, beat: float) -> None:
    rng = pair.rng
    for end in pair.ends.values():
        pair.write(end)
    if rng.random() < 0.4:
        row = int(beat) % 8
        said.cuts[row] = beat
        pair.unit(pair.child, CUT, (QUOTA, ROUND), beat, [row])
    if rng.random() < 0.3:
        said.query = beat
        pair.unit(pair.parent, QUERY, (QUOTA, ROUND), beat, [0, 1])
    if rng.random() < 0.2:
        said.budget = beat
        said.decided_ns[beat] = pair.now
        lease = (int(beat), int(beat), VALIDITY_MS, 5, 2)
        pair.unit(pair.parent, BUDGET, (QUOTA, PRICE), beat, list(range(8)), lease=lease)


def _drive(pair: Pair, restarts: float = 0.0) -> Said:
    """Faults, writes, units and perhaps restarts for a while."""
    said, beat = Said(), 0.0
    pair.send(pair.child, pair.child.peer.connect(0))
    while pair.now <= pair.options.faults_ms * MS:
        beat += 1.0
        pair.beat()
        if pair.rng.random() < restarts:
            _restart(pair, said)
        _say(pair, said, beat)
    return said


def _settle(pair: Pair, beats: int = 1200) -> None:
    pair.heal()
    for beat in range(beats):
        pair.beat()
        if beat > 20 and pair.settled():  # replayed frames come up to 400 ms late
            break
    for _ in range(20):  # heartbeats compare digests
        pair.beat()
    assert pair.settled(), (pair.options, pair.child.peer.counters(), pair.parent.peer.counters())


def _assert_equal(pair: Pair) -> None:
    child, parent = pair.child, pair.parent
    assert child.out.equal(parent.into), pair.options
    assert parent.out.equal(child.into), pair.options
    assert child.peer.out_digest == parent.peer.in_digest
    assert parent.peer.out_digest == child.peer.in_digest


def _assert_down_units(pair: Pair, said: Said) -> None:
    """Whole, in the order in which they were said, the last one of each arrives (T29), no lease lives longer (R17)."""
    for table, last, rows in ((QUERY, said.query, 2), (BUDGET, said.budget, 8)):
        handed = [(cells[QUOTA][1].tolist(), lease) for number, cells, lease in pair.child.handed if number == table]
        assert all(len(v) == rows and len(set(v)) == 1 for v, _ in handed), pair.options
        seen = [v[0] for v, _ in handed]
        assert seen == sorted(seen), pair.options
        assert last is None or seen[-1] == last, pair.options
        for value, lease in zip(seen, [lease for _, lease in handed], strict=True):
            if lease is not None:
                assert 0 < lease.until_ns <= said.decided_ns[value] + VALIDITY_MS * MS
                assert lease.epoch == value
        terms = [lease.term for _, lease in handed if lease is not None]
        assert terms == sorted(terms)


def _assert_up_units(pair: Pair, said: Said) -> None:
    cuts: dict[int, float] = {}
    for number, cells, _ in pair.parent.handed:
        if number == CUT:
            for row, value in zip(cells[QUOTA][0].tolist(), cells[QUOTA][1].tolist(), strict=True):
                assert value >= cuts.get(row, 0.0), pair.options
                cuts[row] = value
    assert {row: cuts.get(row) for row in said.cuts} == said.cuts, pair.options


def _assert_calm(pair: Pair, *, honest: bool) -> None:
    """A cursor never goes back within one stream (R9); honest peers ban nobody and agree on every digest."""
    for end in pair.ends.values():
        last: dict[int, int] = {}
        for stream, cursor in end.cursors:
            assert cursor >= last.get(stream, 0), pair.options
            last[stream] = cursor
        counted = end.peer.counters()
        assert not honest or EVENT["banned"] not in end.events, (pair.options, end.name, counted)
        assert counted["alarms.digest"] == counted["alarms.schema"] == 0, (pair.options, end.name, counted)
        assert "refused.digest" not in counted, (pair.options, end.name, counted)


def _check(seed: int, restarts: float) -> None:
    pair = Pair(seed)
    said = _drive(pair, restarts)
    _settle(pair)
    _assert_equal(pair)
    _assert_down_units(pair, said)
    _assert_up_units(pair, said)
    # A frame of a new life that overtakes its WELCOME, as no connection lets it, looks like a lie.
    low, high = pair.options.delay_ms
    _assert_calm(pair, honest=restarts == 0.0 or low == high)


@pytest.mark.parametrize("block", range(8))
def test_peers_converge_once_the_channel_heals(block):
    for seed in range(block * SEEDS // 8, (block + 1) * SEEDS // 8):
        _check(seed, restarts=0.0)


@pytest.mark.parametrize("block", range(4))
def test_peers_converge_across_restarts(block):
    for seed in range(block * RESTART_SEEDS // 4, (block + 1) * RESTART_SEEDS // 4):
        _check(10_000 + seed, restarts=0.03)
