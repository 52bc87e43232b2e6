"""The weather study on made-up fades: what is planned, what passes, and laws of what policies lose."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.study.weather import weather_study
from tiertwin.study.weatherdata import WAYS, Fades, other_ways, planned
from tiertwin.study.weatherplay import MBIT_PER_BIT, Play, Policy, Traffic
from tiertwin.study.weatherrules import Known, levels, oracle


def made_up(days: int = 3, count: int = 12, seed: int = 2, fades: bool = True) -> Fades:
    """Links in a row over which showers pass, one after the other."""
    random = np.random.default_rng(seed)
    minutes = days * 1440
    x, y = np.arange(count) * 6.0, random.uniform(0, 3, count)
    rain = np.zeros((minutes // 5, count))
    for start in range(20, len(rain) - 40, 60) if fades else ():
        speed, peak = random.uniform(3.0, 5.0), random.uniform(20, 60)
        for step in range(40):
            rain[start + step] += peak * np.exp(-((x - 6.0 + 12.0 - speed * step) ** 2) / (2 * 5.0**2))
    rain[rain < 0.2] = 0.0
    ghz, km, tilt = np.full(count, 23.0), np.full(count, 6.0), np.full(count, 90.0)
    k, alpha = _core.rain_coefficients(ghz, np.zeros(count), tilt)
    fade = np.repeat(k * rain**alpha * km, 5, axis=0) + random.normal(0, 0.2, (minutes, count))
    qpsk, top = planned(ghz, km, tilt)
    return Fades(fade, rain, k, alpha, km, x, y, qpsk, top, other_ways(x, y))


FADES = made_up()


def test_links_are_planned_as_stated() -> None:
    ghz, km, tilt = np.array([8.0, 23.0, 38.0]), np.array([20.0, 6.0, 2.0]), np.full(3, 90.0)
    margin, top = planned(ghz, km, tilt)
    for k in range(3):
        often = _core.terrestrial_rain_loss(ghz, np.full(3, 30.0), km, tilt, np.full(3, 0.1))[k]
        left = margin[k] - (_core.backhaul_needed_snr(int(top[k])) - _core.backhaul_needed_snr(2))
        assert left >= often
        denser = margin[k] - (_core.backhaul_needed_snr(int(top[k]) + 1) - _core.backhaul_needed_snr(2))
        assert denser < often


def test_steps_follow_the_fade() -> None:
    fades = made_up(1, fades=False)
    needed = [_core.backhaul_needed_snr(step) for step in range(2, 13)]
    fades.fade_db[0] = 0.0
    fades.fade_db[1] = fades.qpsk_db + 0.1
    fades.fade_db[2] = np.nan
    fades.fade_db[3] = fades.qpsk_db - (needed[1] - needed[0])
    bits = fades.bits()
    assert (bits[0] == fades.top).all()
    assert not bits[1].any()
    assert (bits[2] == -1).all()
    assert (bits[3] == 3).all()
    room, top = levels(fades, 0.5 * fades.top)
    assert (room >= top).all()


def test_other_ways_are_near_but_not_too_near() -> None:
    ways = other_ways(np.arange(10) * 3.0, np.zeros(10))
    assert ways.shape == (10, WAYS)
    assert ways[0].tolist() == [2, 3, 4]
    with pytest.raises(InputError, match="at least 4 links"):
        other_ways(np.zeros(2), np.zeros(2))


def test_in_clear_sky_nothing_is_lost_by_anybody() -> None:
    fades = made_up(1, fades=False)
    play = Play(fades, Traffic(), range(1440))
    for policy in (
        Policy("a"),
        Policy("b", adaptive=False),
        Policy("c", on_loss=True, rule=oracle(play.load), knows=True),
    ):
        books = play.run(policy)
        assert not books.lost.any()
        assert not books.outage_min.any()
        assert not books.pre.any()
        assert books.offered.sum() == pytest.approx(play.load.sum() * MBIT_PER_BIT * 60.0 * 1440)


def test_one_outage_by_hand() -> None:
    fades = made_up(1, fades=False)
    fades.fade_db[:] = 0.0
    fades.fade_db[100:110, 0] = 99.0
    load = 0.5 * float(fades.top[0])
    second = load * MBIT_PER_BIT
    play = Play(fades, Traffic(load=0.5, reaction_s=10.0, hold=5), range(1440))
    nobody, reactive = play.run(Policy("a")), play.run(Policy("r", on_outage=True))
    knows = play.run(Policy("o", rule=oracle(play.load), knows=True))
    assert nobody.lost.sum() == pytest.approx(600 * second)
    assert nobody.outage_min.sum() == 10.0
    assert reactive.lost.sum() == pytest.approx(10 * second)  # a reaction, then the other way has just the room
    assert reactive.outage_min.sum() == pytest.approx(1 / 6)
    assert reactive.unplanned.sum() == 1
    assert reactive.round_min.sum() == 10 + 5
    assert knows.lost.sum() == 0.0
    assert (knows.pre.sum(), knows.false.sum()) == (1, 0)


def test_a_false_alarm_is_counted_and_costs_nothing_where_there_is_room() -> None:
    fades = made_up(1, fades=False)
    fades.fade_db[:] = 0.0
    play = Play(fades, Traffic(load=0.4), range(1440))

    def afraid(minute: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        at_t = minute.t == 50  # type: ignore[attr-defined]
        wanted = np.zeros(12, dtype=bool)
        wanted[3] = at_t
        limit = np.where(wanted, fades.top - 1, 12)
        return wanted, fades.top, limit

    books = play.run(Policy("afraid", on_loss=True, rule=afraid))
    assert (books.pre.sum(), books.false.sum()) == (1, 1)
    assert (books.falls.sum(), books.false_falls.sum()) == (1, 1)
    assert books.lost.sum() == 0.0


def test_who_knows_more_loses_no_more() -> None:
    play = Play(FADES, Traffic(), range(1440, 3 * 1440))
    fixed, adaptive, outage, loss, knows = (
        play.run(policy)
        for policy in (
            Policy("fixed", adaptive=False),
            Policy("adaptive"),
            Policy("outage", on_outage=True),
            Policy("loss", on_loss=True),
            Policy("oracle", on_loss=True, rule=oracle(play.load), knows=True),
        )
    )
    lost = [books.lost.sum() for books in (fixed, adaptive, outage, loss, knows)]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] > lost[-1]
    for books in (fixed, adaptive, outage, loss, knows):
        assert (books.lost <= books.offered + 1e-9).all()
        assert (books.lost >= -1e-9).all()
        assert (books.outage_min <= 1440).all()
        assert (books.false <= books.pre.cumsum(axis=0)).all()


def test_nothing_of_the_future_is_known() -> None:
    whole = Known.of(FADES)
    cut = 1500
    fade, rain = FADES.fade_db.copy(), FADES.rain_mm_h.copy()
    fade[cut:] = 50.0
    rain[cut // 5 :] = 99.0
    changed = Known.of(
        Fades(
            fade,
            rain,
            *(getattr(FADES, name) for name in ("k", "alpha", "km", "x_km", "y_km", "qpsk_db", "top", "ways")),
        )
    )
    for name in whole.features:
        np.testing.assert_array_equal(whole.features[name][: cut + 1], changed.features[name][: cut + 1])
    assert (changed.features["fade"][cut + 1] == 50.0).all()


def test_the_study_prints_every_policy_with_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiertwin.study.weather.LIKELY", (0.05, 0.3))
    told: list[str] = []
    found = weather_study(made_up(2), train_days=1, resamples=50, tell=told.append)
    names = [row["policy"] for row in found["rows"]]
    assert len(names) == len(set(names)) == 8
    rows = {row["policy"]: row for row in found["rows"]}
    assert rows["reactive: round on any loss"]["lost_less"]["value"] == 0.0
    oracle_row, fixed = rows["oracle"], rows["no loop: densest step or nothing"]
    assert oracle_row["lost_mpackets"]["value"] <= fixed["lost_mpackets"]["value"]
    for row in found["rows"]:
        figure = row["outage_min"]
        assert figure["low"] <= figure["value"] * 1.0001 + 1e-9
        assert figure["value"] <= figure["high"] * 1.0001 + 1e-9
    assert [row["loop"] for row in found["forecasts"]] == [name for name in names if name.startswith("loop")]
    for row in found["forecasts"]:
        assert row["rmse_db"] < row["persistence_rmse_db"]
    assert len(told) == 4


def test_a_split_without_days_and_a_load_of_nothing_are_told() -> None:
    with pytest.raises(InputError, match="expected 1 … 2 whole days, got 3"):
        weather_study(FADES, train_days=3)
    with pytest.raises(InputError, match="expected a load"):
        weather_study(FADES, 1, Traffic(load=0.0))
