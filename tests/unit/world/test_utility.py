"""What service was worth: against loops written from the definition, and the same wherever it is asked for."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from support.healing import world_of
from tiertwin.runtime.measure import plant_utility
from tiertwin.world.utility import SERVED_FLOOR, alpha_utility, site_class_worth, utility_a_task

METRO = world_of("metro")
SHAPE = METRO.site_count, len(METRO.class_names)


def u(q: float, alpha: float) -> float:
    q = max(q, SERVED_FLOOR)
    return math.log(q) if alpha == 1.0 else (q ** (1.0 - alpha) - 1.0) / (1.0 - alpha)


def drawn(seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    offered = random.integers(0, 60, SHAPE).astype(float)
    return [offered, np.floor(offered * random.random(SHAPE)), 9.0 * random.random(SHAPE), 5.0 * random.random(SHAPE)]


def test_alpha_utility_by_hand() -> None:
    q = np.array([1.0, 0.5, 0.0, 1.0])
    found = alpha_utility(q, np.array([1.0, 2.0, 1.0, 0.5]))
    assert found == pytest.approx([0.0, -1.0, math.log(SERVED_FLOOR), 0.0])


@pytest.mark.parametrize("seed", range(5))
def test_worth_is_the_sum_of_its_definition(seed: int) -> None:
    offered, done, latency, energy = drawn(seed)
    worth = site_class_worth(METRO, offered, done, latency, energy)
    total = 0.0
    for s in range(SHAPE[0]):
        for c in range(SHAPE[1]):
            q = min(done[s, c] / max(offered[s, c], 1.0), 1.0)
            one = offered[s, c] * METRO.b[c] * u(q, METRO.alpha[c]) - METRO.s[c] * latency[s, c]
            one -= METRO.objective.energy_utils_per_j * energy[s, c]
            assert worth[s, c] == pytest.approx(one)
            total += one
    assert float(utility_a_task(METRO, offered, done, latency, energy)) == pytest.approx(total / offered.sum())


def test_situations_side_by_side_are_those_by_themselves() -> None:
    several = [np.stack(part) for part in zip(*(drawn(seed) for seed in range(4)), strict=True)]
    together = utility_a_task(METRO, *several)
    alone = [float(utility_a_task(METRO, *drawn(seed))) for seed in range(4)]
    assert together.tolist() == alone


def test_the_plants_books_are_judged_by_it() -> None:
    offered, done, latency, energy = drawn(7)
    names = {"generated": offered.astype(np.int64), "completed": done.astype(np.int64)}
    names |= {"latency_s": latency, "energy_j": energy}
    books = SimpleNamespace(by_site_class=lambda name: names[name])
    assert plant_utility(METRO, books) == float(utility_a_task(METRO, offered, done, latency, energy))  # type: ignore[arg-type]


def test_nothing_offered_is_worth_what_it_costs() -> None:
    nothing = np.zeros(SHAPE)
    assert float(utility_a_task(METRO, nothing, nothing, nothing, nothing)) == 0.0
    assert float(utility_a_task(METRO, nothing, nothing, nothing, nothing, least=1e-12)) == 0.0
