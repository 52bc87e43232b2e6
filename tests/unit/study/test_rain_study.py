"""Rain on measured links: the rules on made-up links, the figures on the package's."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.errors import InputError, MissingExtraError
from tiertwin.study import rain
from tiertwin.study.rain import Links, baseline, compared, dry_steps, example_folder, measured_links, rain_study

DAY = 288


def made_up(antenna: float = 0.0, noise: float = 0.0, links: int = 6, days: int = 8) -> Links:
    """Showers of an hour each day; losses by P.838, a baseline that drifts from day to day, a wet antenna."""
    rng = np.random.default_rng(4)
    rain_mm_h = np.zeros((days * DAY, links))
    for day in range(days):
        start = day * DAY + 100 + 10 * np.arange(links)
        for k, s in enumerate(start):
            rain_mm_h[s : s + 12, k] = rng.gamma(2.0, 5.0, 12)
    ghz, km = np.tile(np.linspace(8.0, 38.0, links), (2, 1)), np.linspace(2.0, 9.0, links)
    tilt = np.tile([0.0, 90.0], (links, 1)).T.copy()
    loss = np.empty((2, links, days * DAY))
    for c in range(2):
        gamma = np.stack([_core.rain_attenuation(ghz[c], row, np.zeros(links), tilt[c]) for row in rain_mm_h])
        dry = 50.0 + 3.0 * c + 0.01 * np.arange(days).repeat(DAY)[:, None]
        loss[c] = (dry + gamma * km + antenna * (rain_mm_h > 0)).T + rng.normal(0.0, noise, (links, days * DAY))
    return Links(rain_mm_h, loss, ghz, tilt, km)


def value(found: dict, prediction: int, name: str) -> float:
    return found["rows"][prediction][name]["value"]


def test_what_follows_p838_is_predicted() -> None:
    found = rain_study(made_up(), 4, 50)
    assert value(found, 0, "correlation") > 0.99999
    assert abs(value(found, 0, "bias_db")) < 0.02  # the baseline of the day before
    assert found["links_compared"] == 6
    assert found["steps"] == 6 * 4 * 12


def test_a_wet_antenna_is_found_before_the_split_and_told_apart() -> None:
    found = rain_study(made_up(antenna=1.5, noise=0.1), 4, 50)
    assert found["wet_antenna_db"] == pytest.approx(1.5, abs=0.05)
    assert value(found, 0, "bias_db") == pytest.approx(-1.5, abs=0.05)
    assert value(found, 1, "bias_db") == pytest.approx(0.0, abs=0.05)
    assert value(found, 0, "correlation") == pytest.approx(value(found, 1, "correlation"))


def test_the_baseline_is_of_dry_steps_before_and_none_without_them() -> None:
    loss = np.tile(np.arange(4.0 * DAY), (2, 1))
    dry = np.ones((4 * DAY, 2), dtype=bool)
    dry[: 2 * DAY, 1] = False
    found = baseline(loss, dry)
    assert np.isnan(found[:, :12]).all()
    assert found[0, DAY] == np.median(np.arange(DAY))
    assert found[0, DAY + 11] == found[0, DAY]
    assert np.isnan(found[1, : 2 * DAY + 12]).all()
    assert found[1, 2 * DAY + 12] == np.median(np.arange(2 * DAY, 2 * DAY + 12))


def test_dry_is_an_hour_from_rain_and_from_gaps_of_the_radar() -> None:
    rain_mm_h = np.zeros((60, 2))
    rain_mm_h[30, 0], rain_mm_h[30, 1] = 0.2, np.nan
    dry = dry_steps(rain_mm_h)
    for k in range(2):
        assert np.flatnonzero(~dry[:, k]).tolist() == list(range(18, 43))


def test_channels_without_measurement_are_left_out() -> None:
    links = made_up()
    links.loss_db[0, :, 5 * DAY :] = np.nan
    links.loss_db[:, 0, 6 * DAY :] = np.nan
    predicted, measured = compared(links)
    assert np.isnan(measured[0, 6 * DAY :]).all()
    assert np.isfinite(measured[1:, 2 * DAY :]).all()
    assert np.isnan(predicted).tolist() == np.isnan(measured).tolist()


@pytest.mark.parametrize("days", [0, 8, -1])
def test_the_split_lies_within_the_data(days: int) -> None:
    with pytest.raises(InputError, match=rf"train_days: expected 1 … 7 whole days, got {days}"):
        rain_study(made_up(), days, 10)


def test_the_extra_is_named_when_it_is_missing(monkeypatch) -> None:
    monkeypatch.setattr(rain, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "tiertwin\[fidelity\]"'):
        example_folder()


def test_a_package_without_the_files_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", object())
    with pytest.raises(InputError, match=r"expected example_cml_data\.nc and .*, got none\. pycomlink 0\.6 has them"):
        measured_links(tmp_path)


def test_the_measured_links_of_the_package() -> None:
    if find_spec("pycomlink") is None or find_spec("h5py") is None:
        pytest.skip('the measured links come with pycomlink: pip install "tiertwin[fidelity]"')
    found = rain_study(measured_links(example_folder()), 5, 100)
    assert found["links"] == 500
    assert found["links_compared"] > 480
    assert found["rows"][0]["correlation"]["low"] > 0.7
    assert -1.0 < value(found, 0, "bias_db") < 0.0  # antennas are wet: more is measured than predicted
    assert abs(value(found, 1, "bias_db")) < abs(value(found, 0, "bias_db"))
    assert value(found, 1, "rmse_db") < value(found, 0, "rmse_db") < found["mean_measured_db"]
