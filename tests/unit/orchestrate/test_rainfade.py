"""Rain on microwave links, as the twin expects it: against P.838 by hand and the plant's own steps."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.model.interventions import Rain
from tiertwin.orchestrate.places import Places
from tiertwin.orchestrate.rainfade import STEPS, microwave_shares, straight_km, wet_share
from tiertwin.world import load, resolve

HOP = {"a": "Centre", "b": "Northfield", "ghz": 38.0, "polarisation": "vertical", "modulation": "1024-QAM"}


@pytest.fixture(scope="module")
def places() -> Places:
    data = load("metro").model_dump(mode="json", exclude_none=True)
    inline = {
        "nodes": [
            {"name": name, "lon": lon, "lat": 50.0, "demand": 1.0}
            for name, lon in (("A", 10.0), ("B", 10.1), ("C", 10.2))
        ],
        "links": [{"a": "A", "b": "B"}, {"a": "B", "b": "C"}, {"a": "A", "b": "C"}],
    }
    hops = [{**HOP, "a": "A", "b": "B", "margin_db": 6.0}, {**HOP, "a": "B", "b": "C", "margin_db": 6.0}]
    wet = {**data, "name": "wet", "topology": inline, "weather": {"microwave": hops}, "fogs": {"count": 1}}
    world = resolve(load(wet))
    return Places(world, world.twins[0].name)


def test_a_link_all_in_the_rain_loses_what_p838_says(places: Places) -> None:
    link = places.link("test", "A", "B")
    km = straight_km(places.world, link)
    assert km == pytest.approx(7.15, rel=0.01)
    for rain in (5.0, 20.0, 60.0):
        one = np.ones(1)
        a_km = _core.rain_attenuation(38.0 * one, rain * one, 0.0 * one, 90.0 * one)[0]
        snr = STEPS[10] + 6.0 - a_km * km
        expected = max((bits for bits, needed in STEPS.items() if bits <= 10 and snr >= needed), default=0) / 10
        assert microwave_shares(places, Rain(rain))[link] == expected
    assert microwave_shares(places, Rain(200.0))[link] == 0.0
    assert microwave_shares(places, Rain(0.0)) == {}


def test_more_rain_never_leaves_more(places: Places) -> None:
    link = places.link("test", "A", "B")
    shares = [microwave_shares(places, Rain(rain))[link] for rain in (1.0, 5.0, 10.0, 20.0, 40.0, 80.0)]
    assert shares == sorted(shares, reverse=True)


def test_an_area_wets_what_lies_in_it(places: Places) -> None:
    first, second = places.link("test", "A", "B"), places.link("test", "B", "C")
    at_a = Rain(60.0, "A", radius_km=3.0)
    assert 0.35 < wet_share(places, at_a, first) < 0.5
    assert wet_share(places, at_a, second) == 0.0
    assert set(microwave_shares(places, at_a)) == {first}
    far = Rain(60.0, lon=12.0, lat=50.0, radius_km=5.0)
    assert microwave_shares(places, far) == {}
    assert wet_share(places, Rain(60.0, lon=10.05, lat=50.0, radius_km=50.0), first) == 1.0


def test_fibre_does_not_mind(places: Places) -> None:
    assert places.link("test", "A", "C") not in microwave_shares(places, Rain(150.0))
    dry = resolve(load("metro"))
    with pytest.raises(InputError, match="microwave"):
        microwave_shares(Places(dry, dry.twins[0].name), Rain(50.0))
