"""What models that learn do with nothing, with what never moves or was never seen, and with a clock that goes back.

Unknown names and contradictions in a what-if are in `tests/unit/orchestrate/test_changes.py`, a storm of 10⁶ alarms in
`tests/property/test_assure_laws.py`, senders whose clocks go back in `tests/unit/orchestrate/test_assurance.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.functions.assure.alarms import Severity
from tiertwin.functions.assure.calibrate import Isotonic, Platt, brier
from tiertwin.functions.assure.forecast import Forecaster
from tiertwin.functions.assure.incidents import Incidents
from tiertwin.functions.assure.kriging import Kriging
from tiertwin.functions.assure.localiser import Localiser
from tiertwin.functions.assure.narx import RidgeNarx
from tiertwin.functions.assure.remaining import RemainingLife
from tiertwin.functions.assure.simple import HoltWinters, SeasonalNaive
from tiertwin.functions.assure.streams import Streams, judge_series
from tiertwin.functions.assure.watches import Changes, Shifts, Subspace
from tiertwin.functions.assure.wear import fit_wiener
from tiertwin.functions.assure.weibull import fit_hazard, fit_weibull
from tiertwin.functions.whatif.columns import Column
from tiertwin.functions.whatif.copula import GaussianCopula
from tiertwin.functions.whatif.generators import Independent, Perturbation, Replay

FORECASTERS: list[type[Forecaster]] = [SeasonalNaive, HoltWinters, RidgeNarx, Kriging]
COLUMNS = [Column("load"), Column("users")]
NOTHING = np.zeros(0)
EMPTY: dict[str, Callable[[], Any]] = {
    **{f"{f.__name__}, no series": (lambda f=f: f().fit(np.zeros((0, 5)))) for f in FORECASTERS},
    **{f"{f.__name__}, no sample": (lambda f=f: f().fit(np.zeros((5, 0)))) for f in FORECASTERS},
    "RemainingLife, no run": lambda: RemainingLife().fit([]),
    "RemainingLife, runs of nothing": lambda: RemainingLife().fit([np.zeros((0, 3))] * 5),
    "fit_weibull": lambda: fit_weibull([], []),
    "fit_hazard": lambda: fit_hazard([], [], np.zeros((0, 1))),
    "fit_wiener": lambda: fit_wiener([], [], []),
    "Isotonic": lambda: Isotonic.fit(NOTHING, NOTHING.astype(bool)),
    "Platt": lambda: Platt.fit(NOTHING, NOTHING.astype(bool)),
    "brier": lambda: brier(NOTHING, NOTHING.astype(bool)),
    **{
        kind.__name__: (lambda kind=kind: kind().fit(np.zeros((0, 2)), COLUMNS))
        for kind in (GaussianCopula, Independent, Perturbation, Replay)
    },
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_history_is_told(name: str) -> None:
    with pytest.raises(InputError, match="expected (at least|two lists|scores|values)"):
        EMPTY[name]()


@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_series_that_never_move_or_were_never_seen_are_named(forecaster: type[Forecaster]) -> None:
    history = np.random.default_rng(1).uniform(1.0, 9.0, (3, forecaster().least_samples))
    history[0], history[2] = 4.0, np.nan
    with pytest.raises(InputError, match=r"series 2 have no value at all(.|\n)*series 0 are constant"):
        forecaster().fit(history)


def test_sensors_and_columns_that_never_move_or_were_never_seen_are_named() -> None:
    with pytest.raises(InputError, match="all are constant"):
        RemainingLife().fit([np.ones((80 + k, 3)) for k in range(12)])
    with pytest.raises(InputError, match="finite values, got nan at cycle 0, sensor 0"):
        RemainingLife().fit([np.full((80, 3), np.nan)] * 12)
    rows = np.column_stack([np.full(50, np.nan), np.arange(50.0)])
    with pytest.raises(InputError, match="load: expected values, all 50 are missing"):
        GaussianCopula().fit(rows, COLUMNS)


@pytest.mark.parametrize("value", [7.0, 0.0, np.nan])
def test_watches_are_silent_over_what_never_moves_or_is_never_seen(value: float) -> None:
    rows, times = np.full((900, 2), value), 60.0 * np.arange(900)
    score, alarm = Streams(2).push(rows, times)
    assert not score.any()
    assert not alarm.any()
    assert not Shifts(2).push(rows).any()
    assert not any(part.any() for part in Subspace(2).push(rows))
    assert not Changes(2).push(rows)[0].any()
    assert not any(part.any() for part in judge_series(rows[:, 0].copy(), times))
    assert [part.shape for part in Streams(2).push(rows[:0], times[:0])] == [(0, 2)] * 2


def test_a_localiser_that_was_told_nothing_keeps_its_priors() -> None:
    localiser = Localiser(["a", "b"], ["a down", "b down"], np.eye(2) * 0.9, 0.01, [0.1, 0.2])
    np.testing.assert_allclose(localiser.posterior(), [0.1, 0.2], rtol=1e-12)
    localiser.observe(missing=["a down", "b down"])
    np.testing.assert_allclose(localiser.posterior(), [0.1, 0.2], rtol=1e-12)


def test_an_incident_log_refuses_a_clock_that_goes_back_and_goes_on() -> None:
    log = Incidents(["a", "b"], window_s=5.0)
    log.tell(10.0, "a", "LINK_FAILURE", Severity.MAJOR)
    with pytest.raises(ValueError, match="in order of time, got 9000000000 ns"):
        log.tell(9.0, "b", "LINK_FAILURE", Severity.MAJOR)
    assert log.totals()["events"] == 1
    log.tell(10.0, "b", "LINK_FAILURE", Severity.MAJOR)
    assert len(log.open()) == 2
