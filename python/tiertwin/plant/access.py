"""A radio access network as a plant: users that move, attach, hand over and share resource blocks, packet by packet.

The rules stand in ``cpp/plant/access.hpp``. Southbound are `AccessPlant.lead`, `set_sleep`, `advance` and
`take_reports`; `take_kpis` is for results, and methods named ``truth_*`` are for tests and studies. Twins see reports
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.plant.accessconfig import (
    CLASSES,
    AccessClass,
    AccessRadio,
    AccessSecrets,
    AccessTelemetry,
    AccessUsers,
    core_config,
    core_rules,
)
from tiertwin.plant.reports import F64, I64, Reports
from tiertwin.world.access import AccessZone

if TYPE_CHECKING:
    from tiertwin.world.mixed import Mixed

USER_ATTRIBUTES = (
    "cell",  # that serves it; -1: none
    "rsrp_dbm",  # of that cell; NaN: none
    "cqi",  # 0..15, TS 38.214 table 5.2.2.1-3
    "down_mbps",  # received since the last report
    "up_mbps",
    "x_m",
    "y_m",
    "latency_ms",  # mean over packets of the period, both ways; NaN: none
    "lost",  # packets of the period
)
CELL_ATTRIBUTES = (
    "prb_down",  # share of its blocks used, 0..1
    "prb_up",
    "power_w",
    "energy_j",  # since the last report
    "active_users",  # with packets in a step, mean over steps
    "handovers",  # in
    "failures",  # out
    "asleep",  # share of the time
)
DIRECTIONS = ("down", "up")
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, eq=False, slots=True)
class AccessReports:
    """What arrived from users and cells, by site of the serving cell."""

    users: Reports
    """Values in the order of `USER_ATTRIBUTES`."""
    cells: Reports
    """Values in the order of `CELL_ATTRIBUTES`."""


@dataclass(frozen=True, eq=False, slots=True)
class AccessKpis:
    """What really happened since the last call, [K classes, 2 directions] and [C cells]."""

    groups: dict[str, NDArray[Any]]
    """``sent``, ``received``, ``lost`` packets, ``bits``, ``delay_ns`` (sum), ``longest_ns``; ``tasks_sent``,
    ``tasks_done``, ``tasks_lost``, ``task_delay_ns`` (sum), each [K, 2]; ``quantiles_ns`` and ``task_quantiles_ns`` at
    `QUANTILES`, [K, 2, 3], -1 where there were none."""
    cells: dict[str, NDArray[Any]]
    """``prbs_down``, ``prbs_up`` used, ``steps``, ``attaches``, ``handovers`` (in), ``ping_pongs``, ``failures`` (out),
    ``energy_j``, ``asleep_s``, ``active`` (users with packets, summed over steps), each [C]."""
    under_way: int
    """Packets that wait now."""

    @property
    def mean_ms(self) -> F64:
        """Mean delay of packets, ms, [K, 2]; NaN where none was received."""
        count = self.groups["received"]
        mean: F64 = np.where(count > 0, self.groups["delay_ns"] / np.maximum(count, 1) * 1e-6, np.nan)
        return mean


class AccessPlant:
    """A radio access network, played from time 0. One thread owns it; others run meanwhile.

    Parameters
    ----------
    seed
        Same seed, same arguments, same calls: the same plant to the last bit. Draws belong to cells and to users by
        key.
    cells
        Arrays by cell, as `tiertwin.world.mixed.Mixed.cells` has them: ``cell_x``, ``cell_y``, ``cell_height`` (m),
        ``cell_ghz``, ``cell_bandwidth_hz``, ``cell_power_dbm``, ``cell_azimuth``, ``cell_tilt``, ``cell_noise_db``,
        ``cell_idle_w``, ``cell_slope``, ``cell_sleep_w``, ``cell_environment`` (0 uma, 1 umi, 2 rma, 3 inh),
        ``cell_every_way``, ``cell_rows``, ``cell_columns``, ``cell_site``, ``cell_prbs``, ``cell_chains``.
    users, zones
        Who is there, and where those who walk do so.
    map_m
        West, south, east, north: where users may be.
    classes, radio, telemetry, secrets
        See there.
    record
        Keep what every packet met for `truth_packets`.

    Raises
    ------
    ValueError
        Something cannot be; the message names field, index and value, or the user that is outside the map.
    TypeError
        A field is missing, unknown or of another type.
    """

    def __init__(
        self,
        seed: int,
        cells: dict[str, NDArray[Any]],
        users: AccessUsers,
        zones: Sequence[AccessZone] = (),
        *,
        map_m: tuple[float, float, float, float],
        classes: Sequence[AccessClass] = CLASSES,
        radio: AccessRadio | None = None,
        telemetry: AccessTelemetry | None = None,
        secrets: AccessSecrets | None = None,
        record: bool = False,
    ) -> None:
        config = {
            **core_config(cells, users, zones, map_m, classes),
            **asdict(radio or AccessRadio()),
            **asdict(telemetry or AccessTelemetry()),
            **asdict(secrets or AccessSecrets()),
            "record": record,
        }
        self._classes = len(classes)
        self._core = _core.AccessNetwork(seed, config, core_rules(zones))

    @classmethod
    def of(cls, world: Mixed, seed: int, **options: Any) -> AccessPlant:
        """Return the plant of a deployment; `options` as for the class."""
        people = world.users
        users = AccessUsers(
            people.kind, people.walk, people.zone, people.x_m, people.y_m, 1.5, people.indoors, np.arange(len(people))
        )
        zones = [AccessZone(*zone) for zone in world.zones]
        return cls(seed, world.cells, users, zones, map_m=(0.0, 0.0, world.width_m, world.height_m), **options)

    # -- southbound --------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Time of the plant, ns."""
        return int(self._core.now_ns)

    def advance(self, until_ns: int) -> None:
        """Play everything before `until_ns`. Other Python threads run meanwhile."""
        self._core.run_until(until_ns)

    def lead(self, users: I64, places: F64) -> None:
        """Put led users somewhere, from the next step on.

        Parameters
        ----------
        users
            Rows of users, [k].
        places
            x, y, z, m, [k, 3].

        Raises
        ------
        ValueError
            A user is not led, or would be outside the map; nobody was moved.
        """
        self._core.lead(users, places)

    def set_sleep(self, after_ms: int) -> None:
        """Let cells sleep that were idle for `after_ms`; 0: never, and those asleep wake up."""
        self._core.set_sleep(after_ms)

    def fail_cells(self, cells: I64) -> None:
        """Take cells down, from the next step on; they are silent until `repair_cells`.

        Raises
        ------
        ValueError
            There is no such cell; nothing was changed.
        """
        self._core.set_down(cells, True)

    def repair_cells(self, cells: I64) -> None:
        """Bring cells back, from the next step on."""
        self._core.set_down(cells, False)

    def take_reports(self, until_ns: int) -> AccessReports:
        """Return every report that arrived by `until_ns` and was not returned before."""
        users, cells = self._core.take_user_reports(until_ns), self._core.take_cell_reports(until_ns)
        return AccessReports(Reports(*users), Reports(*cells))

    # -- results -----------------------------------------------------------------------------------------------------

    def take_kpis(self) -> AccessKpis:
        """Return what really happened since the last call. For results: twins never see it."""
        groups, cells, under_way = self._core.take_kpis(np.array(QUANTILES))
        shape = (self._classes, len(DIRECTIONS))
        return AccessKpis({name: a.reshape(shape + a.shape[1:]) for name, a in groups.items()}, cells, under_way)

    def truth_cells(self) -> dict[str, Any]:
        """Return what is hidden of cells (``loss_db``, ``azimuth``, ``tilt``, ``efficiency``, ``in_order``), and their
        state: ``load_down``, ``disturbed_up_mw`` (a block), ``asleep``; ``most_prbs`` of any slot so far.
        """
        return self._core.truth_cells()

    def truth_users(self) -> dict[str, Any]:
        """Return ``places`` [U, 3], ``heard`` cells and ``received_dbm`` [U, k], ``serving``, ``sinr_down_db``,
        ``sinr_up_db`` (a block), ``down_bits``, ``up_bits`` (of a block and slot), ``up_most_prbs``, ``unseen`` [U].
        """
        return self._core.truth_users()

    def truth_packets(self) -> dict[str, I64]:
        """Return what batches of packets met, if recorded: ``flow`` (2 user + direction), ``packets``, ``born_ns``,
        ``received_ns`` (-1: lost), [N].
        """
        return self._core.truth_packets()
