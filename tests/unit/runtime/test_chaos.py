"""`tiertwin chaos`: the plan repeats, the ledger sees what is planted, the verdict turns red."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from support.soaking import Life, Looks, life_row, measured
from tiertwin.cli import main
from tiertwin.cli.tables import table
from tiertwin.errors import UnknownNameError
from tiertwin.runtime.chaos.ledger import LIVE, Ledger
from tiertwin.runtime.chaos.plan import BY_NAME, KINDS, Fault, Target, cells_of, chosen, faults, playable
from tiertwin.runtime.chaos.play import Played
from tiertwin.runtime.chaos.report import COLUMNS, report, rows
from tiertwin.runtime.supervisor import Supervisor

TARGETS = {
    "device": [Target("gateways-1", ("device-a",)), Target("gateways-2", ("device-b", "device-c"))],
    "edge": [Target("edges-1", ("edge-a",)), Target("edges-2", ("edge-b", "edge-c"))],
    "fog": [Target("fogs-1", ("fog-1",))],
    "cloud": [Target("cloud", ("cloud-1",))],
    "solver": [Target("solver-1"), Target("solver-2")],
    "edge-fog": [Target("cable")],
}
PLAYABLE = [kind for kind in KINDS if kind.name != "clock"]


def drawn(seed: int, count: int = 200, **more: Any) -> list[Fault]:
    return list(islice(faults(PLAYABLE, TARGETS, seed, **more), count))


# ---------------------------------------------------------------------------------------------------------------- plan
def test_the_same_seed_is_the_same_plan() -> None:
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)


def test_one_round_has_every_kind_at_every_tier_once() -> None:
    count = cells_of(PLAYABLE, TARGETS)
    found = {(fault.kind.name, fault.where) for fault in drawn(1, count)}
    assert len(found) == count
    assert found == {(kind.name, where) for kind in PLAYABLE for where in kind.where}


def test_processes_of_a_tier_are_hit_in_turn_and_nodes_are_theirs() -> None:
    for fault in drawn(2):
        target = next(t for t in TARGETS[fault.where] if t.process == fault.process)
        assert fault.node in (target.nodes or ("",))
        assert fault.kind.seconds[0] <= fault.seconds <= fault.kind.seconds[1]
    pauses = [fault.process for fault in drawn(2, 400) if fault.kind.name == "pause" and fault.where == "edge"]
    assert abs(pauses.count("edges-1") - pauses.count("edges-2")) <= len(pauses) / 2


def test_whoever_is_spared_is_never_ended() -> None:
    found = drawn(3, 400, spare=("edges-2", "cloud"))
    ended = {fault.process for fault in found if fault.kind.ends}
    assert not ended & {"edges-2", "cloud"}
    assert {"edges-2", "cloud"} <= {fault.process for fault in found}


def test_nothing_to_hit_is_no_plan() -> None:
    assert list(faults([BY_NAME["partition"]], TARGETS | {"edge-fog": []}, 1)) == []


def test_what_cannot_be_played_is_named_with_its_reason() -> None:
    kinds, skipped = playable(KINDS, durable=False, no_network="network namespaces need root")
    assert skipped.keys() == {"clock", "disk-full", "sync-error", "torn-log", "damaged-log"} | {
        "partition",
        "partition-up",
        "partition-down",
    }
    assert "--durable" in skipped["disk-full"]
    assert "root" in skipped["partition"]
    assert not {kind.name for kind in kinds} & skipped.keys()
    with pytest.raises(UnknownNameError, match="Did you mean 'kill'"):
        chosen("kil")
    assert [kind.name for kind in chosen("pause,kill")] == ["kill", "pause"]


# -------------------------------------------------------------------------------------------------------------- ledger
def told(node: str, peer: str, at: int, **more: Any) -> dict[str, Any]:
    plain = {"process": node, "life": 1, "node": node, "peer": peer, "at": at, "state": LIVE, "in": [0, 0, 0]}
    return plain | {"out": [0, 0, 0], "durable": 0, "term": 1, "alarms": 0} | more


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger([("edge-a", "fog-1")], tmp_path / "watched", tmp_path / "logs")


def acknowledge(ledger: Ledger, level: int) -> None:
    ledger.take(told("edge-a", "fog-1", 10, out=[7, 20, 1], durable=level))


def resumed(stream: int, cursor: int) -> dict[str, Any]:
    return {"event": "log resumed", "node": "fog-1", "children": {"edge-a": [stream, cursor]}}


@pytest.mark.parametrize(("stream", "cursor", "lost"), [(7, 12, 0), (7, 15, 0), (7, 11, 1), (8, 99, 1), (0, 0, 1)])
def test_an_acknowledged_level_that_is_not_recovered_is_lost(
    ledger: Ledger, stream: int, cursor: int, lost: int
) -> None:
    acknowledge(ledger, 12)
    assert ledger.promised(["fog-1"]) == {"fog-1"}
    ledger.take_log(resumed(stream, cursor), 20)
    assert ledger.counts.levels_compared == 1
    assert len(ledger.lost) == lost


def test_what_a_damaged_log_had_acknowledged_is_not_looked_for_but_what_it_says_afterwards_is(ledger: Ledger) -> None:
    acknowledge(ledger, 12)
    ledger.forget("fog-1")
    assert ledger.promised(["fog-1"]) == set()
    ledger.take_log(resumed(7, 0), 20)
    assert ledger.lost == []
    acknowledge(ledger, 13)
    ledger.take_log(resumed(7, 12), 30)
    assert len(ledger.lost) == 1


def test_digests_are_compared_at_equal_numbers_only(ledger: Ledger) -> None:
    ledger.take(told("edge-a", "fog-1", 10, out=[7, 20, 1]))
    ledger.take(told("fog-1", "edge-a", 11, **{"in": [7, 19, 2]}))
    assert ledger.counts.compared == 0
    ledger.take(told("fog-1", "edge-a", 12, **{"in": [7, 20, 1]}))
    assert (ledger.counts.compared, ledger.counts.unequal) == (1, 0)
    ledger.take(told("fog-1", "edge-a", 13, **{"in": [7, 20, 5]}))
    assert ledger.counts.unequal == 1


def test_a_cursor_that_falls_counts_within_one_life_only(ledger: Ledger) -> None:
    ledger.take(told("fog-1", "edge-a", 10, **{"in": [7, 20, 1]}))
    ledger.take(told("fog-1", "edge-a", 11, life=2, **{"in": [7, 15, 1]}))
    assert ledger.counts.applied_again == 0
    ledger.take(told("fog-1", "edge-a", 12, life=2, **{"in": [7, 14, 1]}))
    assert ledger.counts.applied_again == 1


def test_terms_alarms_and_sessions_are_counted(ledger: Ledger) -> None:
    ledger.take(told("edge-a", "fog-1", 10, term=3, alarms=0))
    ledger.take(told("edge-a", "fog-1", 11, term=2, alarms=2))
    ledger.take(told("edge-a", "fog-1", 12, state=LIVE + 1))
    assert (ledger.counts.terms_fallen, ledger.counts.alarms, ledger.counts.sessions_broken) == (1, 2, 1)


def test_all_agree_when_both_directions_were_equal_since(ledger: Ledger) -> None:
    ledger.take(told("edge-a", "fog-1", 5, out=[7, 20, 1], **{"in": [9, 3, 4]}))
    ledger.look_from(10)
    ledger.take(told("fog-1", "edge-a", 12, out=[9, 3, 4], **{"in": [7, 20, 1]}))
    assert ledger.agreed_at() is None
    assert len(ledger.apart()) == 2
    ledger.take(told("edge-a", "fog-1", 15, out=[7, 20, 1], **{"in": [9, 3, 4]}))
    assert ledger.agreed_at() == 15
    assert ledger.apart() == []


def test_files_are_read_to_whole_lines_and_old_ones_removed(tmp_path: Path) -> None:
    ledger = Ledger([("edge-a", "fog-1")], tmp_path, tmp_path)
    first, second = tmp_path / "31-0.jsonl", tmp_path / "31-1.jsonl"
    first.write_bytes(msgspec.json.encode(told("edge-a", "fog-1", 10, out=[7, 20, 1], durable=12)) + b"\n")
    whole = msgspec.json.encode(told("edge-a", "fog-1", 20, out=[7, 25, 1], durable=25)) + b"\n"
    second.write_bytes(whole[:40])
    ledger.read()
    assert ledger.levels == {("edge-a", "fog-1", 7): 12}
    assert not first.exists()
    second.write_bytes(whole)
    ledger.read()
    assert ledger.levels == {("edge-a", "fog-1", 7): 25}
    assert ledger.ack_ms == [0.0]


# ------------------------------------------------------------------------------------------------------------- verdict
def played(name: str = "kill", **more: Any) -> Played:
    fault = Fault(1, BY_NAME[name], "edge", "edges-1", "edge-a", 0.5, 0.0)
    done = Played(fault, 0, over=1_000_000_000, well=3_000_000_000)
    for key, value in more.items():
        setattr(done, key, value)
    return done


def test_a_row_says_how_often_and_how_long() -> None:
    two = [played(), played(well=5_000_000_000), played(well=0, broken=[(4, "timeout 'recovery'")])]
    (row,) = rows(two)
    assert (row["played"], row["recovered"], row["median_s"], row["p99_s"]) == (3, 2, 3.0, 4.0)
    assert row["verdict"] == "BROKEN P4"
    assert "kill" in table([row], COLUMNS)


def test_all_held_is_held_and_p1_is_claimed_only_where_levels_were_compared() -> None:
    found = report([played(levels=3), played("pause")], {}, [])
    assert found["held"]
    assert found["promises"]["P1"]
    assert "P1" not in report([played()], {}, [])["promises"]
    assert not report([], {}, [])["held"]


def test_a_planted_loss_turns_the_verdict_red(ledger: Ledger) -> None:
    acknowledge(ledger, 12)
    ledger.take_log(resumed(7, 11), 20)
    done = played(lost=len(ledger.lost), broken=[(1, text) for text in ledger.lost])
    found = report([done, played("pause")], {}, [])
    assert not found["held"]
    assert found["promises"]["P1"] is False
    assert "acknowledged 12 to edge-a as durable, recovered 11" in found["broken"][0]


def test_who_had_to_be_killed_at_the_end_breaks_p15() -> None:
    found = report([played()], {}, ["fogs-1"])
    assert not found["held"]
    assert found["promises"]["P15"] is False


# ---------------------------------------------------------------------------------------------------- who comes back
def test_who_was_given_up_is_brought_back_and_nobody_else() -> None:
    supervisor = Supervisor(["edges-1", "edges-2"], lambda: 0.0)
    supervisor.give_up("edges-1", "asked to end")
    supervisor.bring_back("edges-1", 10.0)
    supervisor.bring_back("edges-2", 10.0)
    assert supervisor.due(10.0) == ["edges-1"]
    assert supervisor.degraded == {}


# ---------------------------------------------------------------------------------------------------------- command
def test_the_command_refuses_what_contradicts_itself() -> None:
    found = CliRunner().invoke(main, ["chaos", "metro", "--minutes", "1", "--faults", "2"])
    assert found.exit_code == 2
    assert "give one of them" in found.output
    found = CliRunner().invoke(main, ["chaos", "metro", "--only", "clock"])
    assert found.exit_code == 2
    assert "nothing to play: clock:" in found.output


# -------------------------------------------------------------------------------------------------------------- soak
def test_slopes_and_leaks_are_those_of_the_measurements() -> None:
    life = Life("cloud", [(5.0 * k, 50.0 + 5.0 * k * 3.6 / 3600, 20 + k // 30, 3) for k in range(60)])
    found = life_row(life)
    assert found is not None
    assert found["rss_mb_h"] == pytest.approx(3.6)
    assert found["descriptors_more"] == 1
    assert found["threads_more"] == 0
    assert life_row(Life("short", life.rows[:5])) is None
    looks = Looks(applied=[(0.0, {"edge": 0}), (10.0, {"edge": 20_000})], acks=[(k, 10.0 + k) for k in range(9)])
    assert measured(looks)["applied_per_s"] == {"edge": 2000.0}
    assert measured(looks)["ack_p99_ms"] == {"first_third": 11.0, "last_third": 17.0, "max": 18.0}
