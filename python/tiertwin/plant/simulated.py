"""The simulated plant: a world played event by event (`tiertwin._core.Plant`), behind the southbound interface.

Modelled: task arrivals, airtime, link and server queues, background traffic, failures, energy, and telemetry that is
late, lossy, noisy and dated by clocks that are off; where asked for, wear, rain on microwave links, sleeping base
stations and injected faults. The equations stand in ``cpp/plant/plant.hpp``.

Where the world has a radio access, devices are its users: they move, their tasks go over the air packet by packet, and
reports and set-points are those of groups (site, class, ring) of the users that are there
(``cpp/plant/plant_users.hpp``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.plant.accessconfig import AccessRadio
from tiertwin.plant.coreconfig import in_a_row, plant_config, routes_of
from tiertwin.plant.faults import Episode, FaultPlayer
from tiertwin.plant.kpis import PlantKpis
from tiertwin.plant.liars import Liars, LiarState
from tiertwin.plant.options import PlantOptions
from tiertwin.plant.reports import F64, I64, CounterReports, Reports, SensorReports, Telemetry
from tiertwin.plant.surroundings import arrays
from tiertwin.plant.users import network_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tiertwin.plant.leading import Leader


class SimulatedPlant:
    """A world, played. Starts at time 0 with every device serving itself.

    Parameters
    ----------
    world
        The network, its devices and its day (`tiertwin.world.World`, or anything with the same fields).
    seed
        Same seed, same world, same calls: the same plant to the last bit. Draws belong to devices by (group, rank in
        it), so another group's devices may come and go without changing them.
    options
        `PlantOptions`; without it those the world's scenario asks for.

    Raises
    ------
    ValueError
        The world's arrays do not fit together; the message names field, index and value.
    """

    def __init__(self, world: Any, seed: int, options: PlantOptions | None = None) -> None:
        self._world = world
        self.options = (PlantOptions.of(world) if options is None else options).with_traces_of(world)
        self._access = getattr(world, "access", None)
        self._shape = (len(world.site_node), len(world.tasks_per_s), len(world.ring_rate_mbps))
        self._routes = routes_of(world)
        config = plant_config(world, self.options, self._routes)
        self._server_ghz = config["server_cores"] * config["server_core_ghz"]
        self._core = _core.Plant(seed, config)
        self._enable()
        self._faults = self._player(seed)
        self._liars = self._told_by(seed)
        self._leader, self._led_ns, self._step_ns = self._follow()
        self._taken: F64 | float = 0.0  # Mb/s that narrowed links have less, [2m]
        self.before_actuate: Callable[[I64, F64], F64] | None = None  # `plant.remedies`: services that moved
        self._epoch = -1
        self._load = np.ones(self._shape[0])
        self.set_epoch(0)

    # -- southbound --------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Time of the plant, ns."""
        return int(self._core.now_ns)

    def set_epoch(self, epoch: int) -> None:
        """Apply the day's profiles from now on: task rates of urban and rural sites, background of the links."""
        if epoch == self._epoch:
            return
        world, row = self._world, epoch % len(self._world.profile_urban)
        load = np.where(world.site_urban, world.profile_urban[row], world.profile_rural[row])
        self._core.set_load(np.ascontiguousarray(load * self._load, dtype=np.float64))
        self._core.set_background(
            np.ascontiguousarray(world.background_mbps * world.profile_background[row] + self._taken)
        )
        self._epoch = epoch

    def scale_load(self, factor: F64) -> None:
        """Multiply the task rates of each site, [S], each ≥ 0, from now on and on top of the day's profile."""
        if np.shape(factor) != self._load.shape or not (np.isfinite(factor).all() and np.min(factor) >= 0.0):
            raise ValueError(f"load: expected {len(self._load)} finite factors ≥ 0 (one a site), got {factor}")
        self._load = np.array(factor, dtype=np.float64)
        epoch, self._epoch = self._epoch, -1
        self.set_epoch(epoch)

    def advance(self, until_ns: int, epoch: int) -> None:
        """Play `epoch` up to and including `until_ns`. Other Python threads run meanwhile."""
        self.set_epoch(epoch)
        while self._faults is not None and self._faults.next_ns <= until_ns:
            at = max(self._faults.next_ns, self.now_ns)
            self._play(at)
            self._faults.step(self._core, at)
        self._play(until_ns)

    def _play(self, until_ns: int) -> None:
        if self._leader is not None:
            self._lead(self._leader, until_ns)
        self._core.run_until(until_ns)

    def _lead(self, leader: Leader, until_ns: int) -> None:
        """Play up to the last step that begins by `until_ns`, those whom traces lead where they are at each."""
        while self._led_ns <= until_ns:
            self._core.run_until(max(self._led_ns - 1, self.now_ns))
            self.lead(*leader.places(self._led_ns * 1e-9))
            self._led_ns += self._step_ns

    def actuate(self, device: I64, shares: F64) -> None:
        """Set the share of each tier for some devices, from now on.

        Parameters
        ----------
        device
            Device rows, [k]; with a radio access these are groups, and the share is that of whoever is in them.
        shares
            Shares of device, edge, fog, cloud, [k, 4]: each ≥ 0, sum ≤ 1; tasks beyond the sum are shed.
        """
        if self.before_actuate is not None:
            shares = self.before_actuate(device, shares)
        (self._core.set_shares if self._access is None else self._core.set_group_shares)(device, shares)

    def set_site_shares(self, site: int, cpu: F64, uplink: F64) -> None:
        """Grant compute and uplink capacity to each class of a site, from now on, tasks under way included.

        Servers and links that are ``"weighted"`` share by it among the classes of all sites that have tasks there (the
        rule stands in ``cpp/plant/flows.hpp``); others take no notice. Before the first call all classes of all sites
        count alike.

        Parameters
        ----------
        site
            Site, 0..S-1.
        cpu
            GHz at its edge server, its fog's server and the cloud server, [3, C]: each ≥ 0 and finite.
        uplink
            Mb/s on the links of the route from the site to its fog, and on those from there to the cloud, [2, C]: each
            ≥ 0 and finite.

        Raises
        ------
        ValueError
            Unknown site, another shape, a negative or infinite share; nothing was changed.
        TypeError
            Not C-order arrays of float64.
        """
        self._core.set_site_shares(site, cpu, uplink)

    def telemetry(self, until_ns: int) -> Telemetry:
        """Return every report that arrived by `until_ns` and was not returned before.

        With a radio access, `Telemetry.devices` has a row a group, `GROUP_ATTRIBUTES`.
        """
        arrived = Telemetry(*(Reports(*part) for part in self._core.take_telemetry(until_ns)))
        return arrived if self._liars is None else self._liars.tell(arrived)

    def take_sensor_reports(self, until_ns: int) -> SensorReports:
        """Return the sensor and weather reports that arrived by `until_ns` and were not returned before.

        They come beside `telemetry`, as late, lossy and noisy, and only where the options have wear or weather. Of each
        kind the newest 131 072 at least are kept; `truth_sensor_reports_dropped` counts the others.
        """
        return SensorReports(*(Reports(*part) for part in self._core.take_sensors(until_ns)))

    def take_counters(self, until_ns: int) -> CounterReports:
        """Return what links and servers counted, as it arrived by `until_ns` and was not returned before.

        It goes with their reports, as late, and lost with them; empty where the options have no faults.
        """
        return CounterReports(*(Reports(*part) for part in self._core.take_counters(until_ns)))

    def kpis(self) -> PlantKpis:
        """Return what really happened since the last call. For results: twins never see it."""
        taken = PlantKpis.of(self._core.take_kpis(), self._shape, self._server_ghz)
        return taken if self._faults is None else replace(taken, faults=self._faults.spans(taken.from_ns))

    # -- radio access ------------------------------------------------------------------------------------------------

    def lead(self, users: I64, places: F64) -> None:
        """Put led users of the radio access somewhere, from the next step on; see `AccessPlant.lead`."""
        self._core.lead(users, places)

    def traces_told(self) -> list[str]:
        """Return what was left out of each trace that leads users, in words: bad rows, users, places."""
        if self._leader is None or self._access is None:
            return []
        rows = [f"{trace.file}: {skips}" for trace, skips in zip(self._access.led, self._leader.skips, strict=True)]
        outside = self._leader.outside
        return [*rows, f"{outside} places outside the map"] if outside else rows

    def set_sleep(self, after_ms: int) -> None:
        """Let cells of the radio access sleep that were idle for `after_ms`; 0: never, and those asleep wake up."""
        self._core.set_cell_sleep(after_ms)

    def fail_cells(self, cells: I64) -> None:
        """Take cells of the radio access down, from the next step on; see `AccessPlant.fail_cells`."""
        self._core.set_cells_down(cells, True)

    def repair_cells(self, cells: I64) -> None:
        """Bring cells of the radio access back, from the next step on."""
        self._core.set_cells_down(cells, False)

    # -- failures ----------------------------------------------------------------------------------------------------

    def fail_link(self, link: int) -> None:
        """Take an undirected link down, both ways; the tasks on it are lost, and all that come until it is repaired."""
        self._core.fail_link(2 * link)
        self._core.fail_link(2 * link + 1)

    def repair_link(self, link: int) -> None:
        """Bring an undirected link back, both ways."""
        self._core.repair_link(2 * link)
        self._core.repair_link(2 * link + 1)

    def fail_server(self, server: int) -> None:
        """Take a server down (edge of site s is s, fog f is S + f, cloud S + F); the tasks in it are lost."""
        self._core.fail_server(server)

    def repair_server(self, server: int) -> None:
        """Bring a server back."""
        self._core.repair_server(server)

    def reroute(self, world: Any) -> None:
        """Take the routes and the background of a rerouted world; tasks under way keep the route they set out with.

        A site or fog that nothing reaches any more keeps its old route, whose failed link loses its tasks.
        """
        self._routes = routes_of(world, self._routes)
        self._core.set_routes(*in_a_row(self._routes))
        self._epoch_anew(world)

    # -- healing: `plant.remedies` -----------------------------------------------------------------------------------

    def turn_routes(self, turned: Mapping[int, I64]) -> None:
        """Lead routes (sites, then fogs) over other directed links, all others as the world has them.

        Tasks under way keep the route they set out with. ValueError: links that are no way; nothing was changed.
        """
        to_fog, to_cloud = self._routes
        sites = len(to_fog)
        self._core.set_routes(
            *in_a_row(
                (
                    [turned.get(s, route) for s, route in enumerate(to_fog)],
                    [turned.get(sites + f, route) for f, route in enumerate(to_cloud)],
                )
            )
        )

    def narrow_links(self, rate: F64) -> None:
        """Leave tasks so much of each undirected link's capacity, 0 … 1, [m]: the rest counts as background."""
        capacity = np.repeat(self._world.link_capacity_mbps * (1.0 - np.asarray(rate, dtype=np.float64)), 2)
        self._taken = capacity if capacity.any() else 0.0
        self._epoch_anew(self._world)

    def _epoch_anew(self, world: Any) -> None:
        """Apply the present epoch's profiles again."""
        self._world = world
        epoch, self._epoch = self._epoch, -1
        self.set_epoch(epoch)

    # -- truth: for tests and the study harness only -----------------------------------------------------------------

    def truth_device_rates(self) -> F64:
        """Return the mean task rate of every device now, tasks/s, [N]."""
        return self._core.truth_device_rates()

    def truth_group_rates(self) -> F64:
        """Return the mean task rate of every group now, tasks/s, [G]."""
        rates = np.bincount(
            self._core.truth_device_groups(),
            weights=self._core.truth_device_rates(),
            minlength=int(np.prod(self._shape)),
        )
        return np.asarray(rates, dtype=np.float64)

    def truth_radio_mbps(self) -> F64:
        """Return the uplink rate of every device now, Mb/s, [N]."""
        return self._core.truth_radio_mbps()

    def truth_device_sites(self) -> I64:
        """Return the site where every device (user) is at home now, [N]."""
        return self._core.truth_device_sites()

    def truth_device_groups(self) -> I64:
        """Return the group of every device (user) now, [N]."""
        return self._core.truth_device_groups()

    def truth_cells(self) -> dict[str, Any]:
        """Return what is hidden of the radio access's cells; see `AccessPlant.truth_cells`."""
        return self._core.truth_cells()

    def truth_users(self) -> dict[str, Any]:
        """Return where the radio access's users are and what they hear; see `AccessPlant.truth_users`."""
        return self._core.truth_users()

    def truth_packets(self) -> dict[str, I64]:
        """Return what batches of packets met, if recorded; see `AccessPlant.truth_packets`."""
        return self._core.truth_packets()

    def truth_clock_offset_ns(self) -> I64:
        """Return by how much each device clock is ahead, ns, [N]."""
        return self._core.truth_clock_offset_ns()

    def truth_background_mbps(self) -> F64:
        """Return the background of every directed link now, Mb/s, [L]."""
        return self._core.truth_background_mbps()

    def truth_queue_tasks(self) -> I64:
        """Return the tasks in every device's own processor now, [N]."""
        return self._core.truth_queue_tasks()

    def truth_wear(self) -> tuple[F64, F64, F64]:
        """Return X, up (0 or 1) and failures so far of each part in the order of `options.wear["part_key"]`."""
        return self._core.truth_wear()

    def truth_weather(self) -> tuple[F64, F64]:
        """Return rain loss, dB, and bits a symbol of each microwave link in the order of `options.weather["link"]`."""
        return self._core.truth_weather()

    def truth_faults(self) -> list[Episode]:
        """Return the faults injected so far, those that are over and those that last, in the order they ended."""
        return [] if self._faults is None else [*self._faults.past, *self._faults.active]

    def truth_liars(self) -> list[LiarState]:
        """Return who lies, how and since when, and how often it has."""
        return [] if self._liars is None else self._liars.states

    def truth_sensor_reports_dropped(self) -> int:
        """Return how many sensor and weather reports were dropped because nobody took them."""
        return int(self._core.truth_reports_dropped())

    # -- building ----------------------------------------------------------------------------------------------------

    def _enable(self) -> None:
        options = self.options
        if self._access is not None:
            if options.stations is not None:
                raise ValueError(
                    "base stations: expected none beside a radio access, whose cells sleep themselves; leave them out "
                    "and set access.radio.sleep_after_ms and wake_ms"
                )
            self._core.enable_access(
                *network_of(self._access, np.ascontiguousarray(self._world.megabits, dtype=np.float64), options.access)
            )
        elif options.access is not None:
            raise ValueError("access: expected no options of a radio access for a world that has none")
        if options.wear is not None:
            self._core.enable_wear(arrays(options.wear))
        if options.weather is not None:
            self._core.enable_weather(arrays(options.weather))
        if options.stations is not None:
            self._core.enable_sleep(arrays(options.stations))

    def _player(self, seed: int) -> FaultPlayer | None:
        if self.options.faults is None:
            return None
        self._core.enable_faults()
        return FaultPlayer(self._world, self.options.faults, seed)

    def _told_by(self, seed: int) -> Liars | None:
        plain = self.options.faults
        return Liars(self._world, plain, seed) if plain is not None and "liars" in plain else None

    def _follow(self) -> tuple[Leader | None, int, int]:
        """Return who leads users of the radio access, when next, and how often, ns."""
        access = self._access
        if access is None or not getattr(access, "led", ()):
            return None, 0, 1
        rules = AccessRadio(**(self.options.access or {}).get("radio", {}))
        from tiertwin.plant.leading import Leader  # noqa: PLC0415  readers of files: only where there are any

        return Leader(access.led, access.map_m, float(access.z_m[access.led[0].first])), 0, rules.step_ms * 1_000_000
