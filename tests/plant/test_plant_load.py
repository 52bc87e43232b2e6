"""Task rates of sites can be scaled from outside, on top of the day."""

from __future__ import annotations

import numpy as np
import pytest

from support.inprocess import world_of
from tiertwin.plant import SimulatedPlant


def rates(plant: SimulatedPlant, sites: int) -> np.ndarray:
    return plant.truth_group_rates().reshape(sites, -1).sum(axis=1)


def test_load_is_scaled_site_by_site_and_stays_scaled() -> None:
    world = world_of("metro")
    plant, same = SimulatedPlant(world, 7), SimulatedPlant(world, 7)
    factor = np.ones(world.site_count)
    factor[[1, 3]] = 2.0, 0.0
    plant.scale_load(factor)
    for epoch in (0, 20):
        plant.set_epoch(epoch)
        same.set_epoch(epoch)
        assert rates(plant, world.site_count) == pytest.approx(factor * rates(same, world.site_count))
    plant.scale_load(np.ones(world.site_count))
    assert np.array_equal(rates(plant, world.site_count), rates(same, world.site_count))


@pytest.mark.parametrize("bad", [np.ones(3), np.full(14, -1.0), np.full(14, np.nan)])
def test_a_load_that_does_not_fit_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one a site"):
        SimulatedPlant(world_of("metro"), 7).scale_load(bad)
