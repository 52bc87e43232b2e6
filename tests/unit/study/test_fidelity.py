"""The fidelity study: what it asks, what it counts, and that it could tell a wrong model from a right one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tiertwin.cli import main
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.performance import NINETY_PERCENT, Sizes
from tiertwin.plant.packets import PacketFlows, PacketLinks
from tiertwin.study import fidelity
from tiertwin.study.changes import changes, link_loads
from tiertwin.study.fidelity import Wanted, best_textbook, errors, fidelity_study, model_of
from tiertwin.study.ns3 import missing
from tiertwin.study.packet_truth import fixed_delays, play, sizes_of, truth
from tiertwin.study.scenes import scene
from tiertwin.study.textbook import FORMULAS, Answer

SMALL = {"load": 0.6, "flows": 60}
SHORT = Wanted(("sndlib/abilene",), (0.6,), ("each",), ("fixed",), flows=200, seconds=20.0, window_s=10.0)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return fidelity_study(SHORT)


def test_a_scene_is_judged(rows: list[dict[str, Any]]) -> None:
    (row,) = rows
    assert (row["topology"], row["rule"], row["size"], row["load"]) == ("sndlib/abilene", "each", "fixed", 0.6)
    assert 0 < row["floor_pct"] < 5
    assert row["mean_pct"] < 5
    assert row["p99_pct"] < 15
    assert row["calibrated_mean_pct"] < 5
    assert row["sign_agreement"] > 0.9
    assert row["signs_asked"] > 200
    assert row["flows_a_link"] > 10


def test_the_best_textbook_formula_stands_beside_it(rows: list[dict[str, Any]]) -> None:
    (row,) = rows
    assert row["textbook_mean"] == row["textbook_wait"] == "gg1"  # fixed sizes on every link: smoothing is what matters
    assert row["textbook_p99"] in FORMULAS
    assert row["mean_pct"] < row["textbook_mean_pct"] < 20
    assert row["wait_pct"] < row["textbook_wait_pct"] < 60


def test_the_best_of_each_kind_is_named() -> None:
    """Formulas that are wrong by a known share: the least error of each kind, and whose it is."""
    real = np.array([1.0, 2.0])
    books = {
        "mm1": Answer(1.1 * real, 1.3 * real, 1.5 * real),
        "mg1": Answer(0.8 * real, 0.9 * real, 1.4 * real),
        "gg1": Answer(1.2 * real, 1.2 * real, 0.7 * real),
    }
    found = best_textbook(books, real, real, real)
    assert (found["textbook_mean"], found["textbook_wait"], found["textbook_p99"]) == ("mm1", "mg1", "gg1")
    assert [found[f"textbook_{what}_pct"] for what in ("mean", "wait", "p99")] == pytest.approx([10.0, 10.0, 30.0])
    assert "textbook_p99" not in best_textbook(books, real, real)


def test_the_same_question_has_the_same_answer(rows: list[dict[str, Any]]) -> None:
    assert fidelity_study(replace(SHORT, signs=False)) == [
        {key: value for key, value in row.items() if not key.startswith("sign")} for row in rows
    ]


def test_a_wrong_model_is_found_out() -> None:
    """Every delay a tenth too long, every tail a third: the errors say just that, and no interval holds."""
    network = scene("sndlib/abilene", "each", "fixed", **SMALL)
    real = truth(network, 1, 10.0)
    model, links, flows = model_of(network)
    found = model.predict(links, flows)
    wrong = replace(
        found, mean=1.1 * real.mean_s, p99=4 / 3 * real.p99_s, mean_low=1.09 * real.mean_s, mean_high=1.11 * real.mean_s
    )
    said = errors(wrong, real)
    assert said["mean_pct"] == pytest.approx(10.0)
    assert said["p99_pct"] == pytest.approx(100 / 3)
    assert said["coverage_pct"] < 20
    exact = {f"{what}{end}": getattr(real, f"{what}_s") for what in ("mean", "p99") for end in ("", "_low", "_high")}
    right = errors(replace(wrong, **exact), real)
    assert (right["mean_pct"], right["coverage_pct"], right["p99_coverage_pct"]) == (0.0, 100.0, 100.0)
    luck = replace(wrong, p99=real.p99_s + 2 * real.p99_sampling_s, p99_low=real.p99_s, p99_high=real.p99_s)
    off = {"p99_low": luck.p99, "p99_high": luck.p99}
    assert errors(replace(luck, **off), real)["p99_coverage_pct"] == 0.0  # two standard errors are more than 1.64
    near = real.p99_s + 1.6 * real.p99_sampling_s
    assert errors(replace(luck, p99=near, p99_low=near, p99_high=near), real)["p99_coverage_pct"] == 100.0


def test_a_model_that_knows_no_direction_gets_half_of_the_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Contrary:
        def predict(self, links: Any, flows: Any) -> Any:
            found = model.predict(links, flows)
            return replace(found, mean=-found.mean)

    network = scene("sndlib/abilene", "each", "fixed", **SMALL)
    model, _, _ = model_of(network)
    wanted = replace(SHORT, seconds=10.0)
    real = truth(network, 1, 10.0)
    right = fidelity.signs(network, real, model, wanted)
    wrong = fidelity.signs(network, real, Contrary(), wanted)  # type: ignore[arg-type]
    assert right["signs_asked"] == wrong["signs_asked"] > 50
    assert right["sign_agreement"] + wrong["sign_agreement"] == pytest.approx(1.0)
    assert right["sign_agreement"] > 0.9


@pytest.mark.parametrize("rule", ["common", "each"])
@pytest.mark.parametrize("load", [0.3, 0.9])
def test_changes_leave_a_steady_state(rule: str, load: float) -> None:
    network = scene("sndlib/abilene", rule, "exponential", load=load, flows=60)
    found = list(changes(network))
    assert len({change.name for change in found}) == len(found) >= 4
    for change in found:
        assert link_loads(change.network).max() < 0.97
        assert np.abs(link_loads(change.network) - link_loads(network)).max() > 1e-4


def test_what_no_queue_has_made() -> None:
    links = PacketLinks([8_000_000, 4_000_000], [1000, 2000])
    flows = PacketFlows([[0, 1], [1]], 10.0, size="fixed", bytes=[1000, 500])
    assert fixed_delays((links, flows)) == pytest.approx([1e-3 + 2e-3 + 3e-6, 1e-3 + 2e-6])
    mixed = (links, replace(flows, size="imix"))
    assert sizes_of(mixed).mean == pytest.approx((7 * 64 + 4 * 594 + 1518) / 12)
    assert fixed_delays(mixed)[1] == pytest.approx(sizes_of(mixed).mean / 5e5 + 2e-6)


@pytest.mark.parametrize("law", ["exponential", "imix"])
def test_moments_are_those_of_the_plant(law: str) -> None:
    network = (PacketLinks(10**9, 0), PacketFlows([[0]], 50_000.0, size=law, bytes=1000))
    from tiertwin.plant.packets import PacketPlant

    plant = PacketPlant(1, *network, stop_ns=4 * 10**9, record=True)
    plant.run_to_end()
    size = plant.packets()["bytes"].astype(np.float64)
    told: Sizes = sizes_of(network)
    for power, moment in ((1, told.mean), (2, told.second), (3, told.third)):
        assert np.mean(size**power) == pytest.approx(np.max(moment), rel=0.02 * power)
    assert told.smallest <= size.min()
    assert size.max() <= told.largest


def test_sizes_that_happened_to_be_drawn_are_not_held_against_a_model() -> None:
    """Where nobody waits, the mean delay is that of the mean size, however few packets were seen."""
    network = (PacketLinks([10**6, 2 * 10**6], 1_000_000), PacketFlows([[0, 1]], 0.05, size="exponential", bytes=1000))
    real = truth(network, 1, 200.0)
    assert real.sent[0] < 40  # their mean size is off by a sixth or so
    assert real.mean_s[0] == pytest.approx(real.fixed_s[0], rel=1e-6)
    assert real.fixed_s[0] == pytest.approx(0.012 + 2e-3, rel=1e-3)


def test_sampling_is_what_is_left_of_luck() -> None:
    """One link of fixed sizes at 0.7, whose mean wait is known: errors are as large as they are said to be."""
    network = (PacketLinks(8_000_000, 0), PacketFlows([[0], [0], [0]], [200.0, 200.0, 300.0]))
    exact = 1e-3 + 0.7e-3 / (2 * 0.3)
    runs = [truth(network, seed, 10.0) for seed in range(0, 60, 2)]
    scores = np.array([(run.mean_s - exact) / run.sampling_s for run in runs])
    assert 0.8 < np.sqrt(np.mean(scores**2)) < 1.3
    assert np.mean(np.abs(scores) < NINETY_PERCENT) == pytest.approx(0.9, abs=0.07)


def test_a_longer_truth_is_surer() -> None:
    network = scene("sndlib/abilene", "each", "fixed", **SMALL)
    assert truth(network, 1, 40.0).floor < truth(network, 1, 2.0).floor


def test_what_is_played_is_counted() -> None:
    network = scene("sndlib/abilene", "common", "fixed", buffer=2, **SMALL)
    real = truth(network, 1, 5.0)
    books = [play(network, seed, 5.0).flows() for seed in (1, 2)]
    assert real.sent.tolist() == (books[0]["sent"] + books[1]["sent"]).tolist()
    assert np.sum(real.throughput_pps * 10.0) == pytest.approx(sum(book["received"].sum() for book in books))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"loads": (1.0,)}, r"loads: expected numbers in \(0, 1\), got 1"),
        ({"rules": ("other",)}, "rules: expected common, each, got 'other'"),
        ({"sizes": ()}, "sizes: expected at least one of fixed, exponential, imix"),
        ({"topologies": ()}, "topologies: expected at least one"),
        ({"flows": 0}, "flows: expected at least 1, got 0"),
        ({"seconds": float("nan")}, "seconds: expected at least 1, got nan"),
        ({"buffer": -1}, "buffer: expected at least 0, got -1"),
    ],
)
def test_what_cannot_be_studied_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        replace(SHORT, **change).check()


def test_a_topology_nobody_knows() -> None:
    with pytest.raises(UnknownNameError, match="abilen"):
        fidelity_study(replace(SHORT, topologies=("sndlib/abilen",)))


def test_the_command_prints_one_object() -> None:
    words = ["study", "fidelity", "--topology", "sndlib/abilene", "--loads", "0.3,0.5", "--rule", "common"]
    words += ["--size", "imix", "--flows", "50", "--seconds", "2", "--window", "2", "--no-signs", "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert [row["load"] for row in said["rows"]] == [0.3, 0.5]
    assert said["asked"]["topologies"] == ["sndlib/abilene"]
    assert "sign_agreement" not in said["rows"][0]


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_the_plant_is_ns3(tmp_path: Any) -> None:
    from tiertwin.study.ns3 import Ns3

    row = fidelity_study(replace(SHORT, signs=False, buffer=5, seconds=2.0), Ns3(tmp_path), 2.0)[0]
    assert row["ns3_equal_pct"] == 100.0
    assert row["ns3_packets"] > 1000
    assert row["ns3_mean_pct"] < 20
    assert row["ns3_textbook_mean"] in FORMULAS
    assert 0 < row["ns3_textbook_wait_pct"] < 100
