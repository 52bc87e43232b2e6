"""Laws of two peers over a faulty channel: they converge after it heals (laws 1, 7, 9; R7–R13, R17, R18)."""

from __future__ import annotations

import itertools

import pytest

from support.peer_pair import BUDGET, CUT, EVENT, PRICE, QUERY, QUOTA, ROUND, Pair

SEEDS = 320


def _drive(pair: Pair) -> dict[str, float]:
    """Faults, writes and units for a while; returns the last value said in each unit table."""
    said: dict[str, float] = {}
    pair.send(pair.child, pair.child.peer.connect(0))
    for beat in itertools.count(1):
        pair.beat()
        for end in pair.ends.values():
            pair.write(end)
        end, rng = pair.child, pair.rng
        if rng.random() < 0.4:
            said["cut"] = beat
            pair.unit(end, CUT, (QUOTA, ROUND), beat, [beat % 8])
            said[f"cut{beat % 8}"] = beat
        if rng.random() < 0.3:
            said["query"] = beat
            pair.unit(pair.parent, QUERY, (QUOTA, ROUND), beat, [0, 1])
        if rng.random() < 0.2:
            said["budget"] = beat
            pair.unit(pair.parent, BUDGET, (QUOTA, PRICE), beat, list(range(8)), lease=(beat, beat, 60_000, 5, 2))
        if pair.now > pair.options.faults_ms * 1_000_000:
            return said
    raise AssertionError


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


def _assert_handed(pair: Pair, said: dict[str, float]) -> None:
    """Units are handed on whole, in the order in which they were said, and the last one of each arrives (T29)."""
    for end, table, key, rows in ((pair.child, QUERY, "query", 2), (pair.child, BUDGET, "budget", 8)):
        values = [cells[QUOTA][1] for number, cells, _ in end.handed if number == table]
        assert all(len(v) == rows and len(set(v.tolist())) == 1 for v in values), pair.options
        seen = [v[0] for v in values]
        assert seen == sorted(seen), pair.options
        if key in said:
            assert seen[-1] == said[key], pair.options
    cuts: dict[int, float] = {}
    for number, cells, _ in pair.parent.handed:
        if number == CUT:
            for row, value in zip(cells[QUOTA][0].tolist(), cells[QUOTA][1].tolist(), strict=True):
                assert value >= cuts.get(row, 0.0), pair.options
                cuts[row] = value
    assert cuts == {int(k[3:]): v for k, v in said.items() if k.startswith("cut") and k != "cut"}, pair.options


def _assert_monotone(pair: Pair) -> None:
    """A cursor never goes back within one stream (R9)."""
    for end in pair.ends.values():
        last: dict[int, int] = {}
        for stream, cursor in end.cursors:
            assert cursor >= last.get(stream, 0), pair.options
            last[stream] = cursor


@pytest.mark.parametrize("block", range(8))
def test_peers_converge_once_the_channel_heals(block):
    for seed in range(block * SEEDS // 8, (block + 1) * SEEDS // 8):
        pair = Pair(seed)
        said = _drive(pair)
        _settle(pair)
        _assert_equal(pair)
        _assert_handed(pair, said)
        _assert_monotone(pair)
        for end in pair.ends.values():
            assert EVENT["banned"] not in end.events, (seed, end.name, end.peer.counters())
            counted = end.peer.counters()
            assert counted["alarms.digest"] == counted["alarms.schema"] == 0, (seed, end.name, counted)
            assert "refused.digest" not in counted, (seed, end.name, counted)
