"""Which groups of users are believed under a radio access: tables made by hand, no tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin import _core
from tiertwin.model.faults import Trust
from tiertwin.orchestrate.grouptrust import NATS, GroupTrust, Membership, may_move
from tiertwin.orchestrate.trustrules import TrustRules
from tiertwin.twin.attributes import TELEMETRY, A, TableId, registry
from tiertwin.world import load, resolve

SECOND = 1_000_000_000
WORLD = resolve(load("mixed"))
KINDS = np.repeat(np.arange(4), 5)
EVERYONE, NOBODY = np.ones(20, dtype=np.bool_), np.zeros(20, dtype=np.bool_)
ATTRIBUTES = [*(int(a) for a in TELEMETRY), int(A.USERS), int(A.HANDOVERS)]


class Site:
    """A site whose users walk from row to row; a test changes what they tell."""

    def __init__(self, seed: int = 3) -> None:
        rules = TrustRules.of(load("mixed", trust={"limit": Trust().limit}))
        assert rules is not None
        self.trust, self.rng, self.now = GroupTrust(WORLD, 0, rules, 20), np.random.default_rng(seed), 0
        self.users = np.repeat([10.0, 5.0, 11.0, 50.0], 5)
        self.table = _core.StateTable(registry(), TableId.TELEMETRY, ATTRIBUTES, 21)

    def step(self, change: Any = None) -> tuple[np.ndarray, np.ndarray]:
        self.now += SECOND
        came = 0
        for row in range(15):  # vehicles, AR and video move
            goes = self.rng.binomial(int(self.users[row]), 0.2)
            to = 5 * (row // 5) + self.rng.integers(0, 5)
            self.users[row] -= goes
            if self.rng.random() < 0.5:
                self.users[to] += goes
            new = self.rng.poisson(1.0)
            self.users[to] += new
            came += new
        made = self.rng.poisson(self.users * WORLD.tasks_per_s[KINDS]).astype(float)
        noisy = 1.0 + 0.03 * self.rng.standard_normal((20, 3))
        told = {
            A.TASK_RATE: made * noisy[:, 0],
            A.RADIO_MBPS: 30.0 * noisy[:, 1],
            A.COMPLETED: made,
            A.MISSED: 0.0 * made,
            A.ENERGY_J: made * noisy[:, 2],
            A.USERS: self.users.copy(),
        }
        if change is not None:
            change(told)
        rows = np.arange(20, dtype=np.uint32)
        for attribute, values in told.items():
            said = np.isfinite(values)
            self.table.set(int(attribute), rows[said], np.ascontiguousarray(values[said]), self.now)
        self.table.set(int(A.HANDOVERS), np.array([20], dtype=np.uint32), np.array([float(came)]), self.now)
        return self.trust.judge(self.table, self.now - 2 * SECOND)


def test_users_who_come_and_go_are_believed():
    site = Site()
    for _ in range(80):
        _, heard = site.step()
        assert heard.all()
    assert not site.trust.out.any()
    assert site.trust.take_records(1) == []
    users, believed = site.trust.users(site.users)
    np.testing.assert_array_equal(users, site.users)
    assert believed.all()


def test_who_triples_its_users_is_found_and_those_who_came_from_nowhere_are_not_counted():
    site = Site()
    for _ in range(10):
        site.step()

    def lie(told: dict[A, np.ndarray]) -> None:
        for attribute in (A.TASK_RATE, A.COMPLETED, A.ENERGY_J, A.USERS):
            told[attribute][17] *= 3.0

    _, heard = site.step(lie)
    assert site.trust.out.nonzero()[0].tolist() == [17]
    assert heard.nonzero()[0].tolist() == [row for row in range(20) if row != 17]
    _, believed = site.trust.users(site.users)
    assert not believed[17]
    (record,) = site.trust.take_records(3)
    assert (record.fields["device"], record.fields["reason"]) == (17, "bounds")
    for _ in range(40):
        site.step(lie)
    assert site.trust.out.nonzero()[0].tolist() == [17]


@pytest.mark.parametrize("back", [1, 7])
def test_who_repeats_itself_is_found(back: int):
    site, kept = Site(), []

    def lie(told: dict[A, np.ndarray]) -> None:
        kept.append({a: v.copy() for a, v in told.items()})
        if len(kept) > 20:
            shown = kept[20 - back] if back == 1 else kept[12 + len(kept) % back]
            for attribute, values in told.items():
                values[16] = shown[attribute][16]

    for _ in range(30):
        site.step(lie)
    assert site.trust.out.nonzero()[0].tolist() == [16]


def test_a_row_of_nobody_repeats_nothing():
    site = Site()

    def empty(told: dict[A, np.ndarray]) -> None:
        for values in told.values():
            values[4] = 0.0
        told[A.RADIO_MBPS][4] = np.nan  # not told: the table keeps what was

    site.step()
    for _ in range(30):
        site.step(empty)
    assert not site.trust.out[4]


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
@settings(max_examples=40, deadline=None)
def test_no_walk_counted_by_the_station_speaks_against_anybody_and_each_user_more_does(seed: int, more: int):
    rng, members = np.random.default_rng(seed), Membership(KINDS, 1.0, EVERYONE)
    users = rng.integers(0, 30, 20).astype(float)
    for k in range(1, 20):
        gone = rng.binomial(users.astype(int), 0.3)
        came = rng.poisson(1.0, 20)
        users = users - gone + came
        stays = rng.permutation(gone[:5])  # of the first class some only change rows
        users[:5] += stays
        nats = members.push(EVERYONE, users.copy(), float(came.sum()), np.full(20, k * SECOND), NOBODY)
        assert (nats == 0.0).all()
    users[7] += more
    nats = members.push(EVERYONE, users, 0.0, np.full(20, 20 * SECOND), NOBODY)
    assert nats[7] == pytest.approx(NATS * more)
    assert (np.delete(nats, 7) == 0.0).all()


def test_a_missing_report_allows_the_handovers_that_it_would_have_told():
    members, users = Membership(KINDS, 1.0, EVERYONE), np.full(20, 10.0)
    for k in (1, 2):
        members.push(EVERYONE, users, 3.0, np.full(20, k * SECOND), NOBODY)
    later = users.copy()
    later[0] += 11.0  # 3 told now, and twice (3 + 1) for the report that is missing
    assert (members.push(EVERYONE, later, 3.0, np.full(20, 4 * SECOND), NOBODY) == 0.0).all()
    later[1] += 12.0
    assert members.push(EVERYONE, later, 3.0, np.full(20, 6 * SECOND), NOBODY)[1] == pytest.approx(NATS)


def test_who_left_a_row_in_quarantine_unseen_is_not_held_against_the_row_they_came_to():
    members, users = Membership(KINDS, 1.0, EVERYONE), np.full(20, 10.0)
    members.push(EVERYONE, users, 0.0, np.full(20, SECOND), NOBODY)
    users = users.copy()
    users[1] += 8.0
    out = NOBODY.copy()
    out[0] = True
    assert (members.push(EVERYONE, users, 0.0, np.full(20, 2 * SECOND), out) == 0.0).all()
    users = users.copy()
    users[6] += 8.0  # of another class
    assert members.push(EVERYONE, users, 0.0, np.full(20, 3 * SECOND), out)[6] == pytest.approx(8.0 * NATS)


def test_who_stays_is_handed_over_by_nobody_but_where_a_cell_comes_or_goes():
    assert dict(zip(WORLD.class_names, may_move(WORLD).tolist(), strict=True))["metering"] is False
    moves = KINDS != 3
    members, users = Membership(KINDS, 1.0, moves), np.full(20, 10.0)
    members.push(EVERYONE, users, 9.0, np.full(20, SECOND), NOBODY)
    users = users.copy()
    users[[2, 16]] += 2.0  # one row of those who walk, one of those who stay
    nats = members.push(EVERYONE, users, 9.0, np.full(20, 2 * SECOND), NOBODY)
    assert nats.nonzero()[0].tolist() == [16]
    assert nats[16] == pytest.approx(2.0 * NATS)
    users = users.copy()
    users[[17, 18]] += 3.0
    nats = members.push(EVERYONE, users, 9.0, np.full(20, 3 * SECOND), NOBODY)
    assert nats[[17, 18]].tolist() == [0.0, 0.0]
