"""Radio access: base stations with cells, and people who move among them. Without it devices stay at their site."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tiertwin.model.fields import INTEGRAL, AtLeastOne, NodeName, NotNegative, Part, Positive, Rows, Share, TopologyName

Degrees = Annotated[float, Field(ge=-360, le=360)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Environment = Literal["uma", "umi", "rma", "inh"]
Movement = Literal["still", "gauss-markov", "waypoint", "manhattan", "train", "trace"]
MsCount = Annotated[int, Field(ge=0, le=86_400_000), INTEGRAL]


class CellKind(Part):
    """One kind of base station, as planned."""

    name: NodeName
    """What masts name it by."""
    environment: Environment = "uma"
    """Propagation by TR 38.901: urban macro, urban micro, rural macro, indoor office."""
    ghz: Annotated[float, Field(ge=0.5, le=100)] = 4.0
    """Carrier; cells of one carrier disturb each other."""
    bandwidth_mhz: Annotated[float, Field(ge=0.2, le=2_000)] = 10.0
    """Of the channel, each way."""
    blocks: Annotated[int, Field(ge=1, le=10_000), INTEGRAL] = 52
    """Resource blocks of 180 kHz in it (TS 38.101-1, table 5.3.2-1: 52 in 10 MHz)."""
    power_dbm: Annotated[float, Field(ge=-30, le=80)] = 41.0
    """Of a cell, all blocks."""
    height_m: Annotated[float, Field(ge=1, le=150)] = 25.0
    """Of the antennas above the ground."""
    azimuths_deg: Annotated[Rows[Degrees], Field(min_length=1, max_length=12)] = (30.0, 150.0, 270.0)
    """One cell each, counter-clockwise from east."""
    every_way: bool = False
    """Without sectors: one azimuth, that does not count."""
    tilt_deg: Annotated[float, Field(ge=-90, le=90)] = 12.0
    """Downwards."""
    rows: Annotated[int, Field(ge=1, le=64), INTEGRAL] = 4
    """Of elements half a wavelength apart, one above the other."""
    columns: Annotated[int, Field(ge=1, le=64), INTEGRAL] = 8
    """Beside each other."""
    noise_db: Annotated[float, Field(ge=0, le=30)] = 5.0
    """Noise figure of the receiver."""
    chains: Annotated[int, Field(ge=1, le=1_024), INTEGRAL] = 2
    """Transceiver chains of a cell (EARTH model, Auer et al. 2011)."""
    idle_w: NotNegative = 130.0
    """W a chain without load."""
    slope_w: NotNegative = 4.7
    """W a radiated W."""
    sleep_w: NotNegative = 75.0
    """W a chain asleep."""


class Mast(Part):
    """A base station at a node of the topology."""

    at: TopologyName
    """Name of the node."""
    kind: NodeName
    """Name of a kind of cells."""


class Area(Part):
    """A rectangle of the map, and how people move in it."""

    name: NodeName
    """What crowds name it by."""
    west: Longitude
    """Degrees east."""
    south: Latitude
    """Degrees north."""
    east: Longitude
    """Degrees east."""
    north: Latitude
    """Degrees north."""
    walk_m_s: Annotated[Rows[Positive], Field(min_length=4, max_length=4)] = (1.2, 0.3, 0.5, 1.8)
    """Walkers: mean and standard deviation (gauss-markov), slowest and fastest (waypoint)."""
    pause_s: NotNegative = 60.0
    """At each waypoint."""
    street_m_s: Annotated[Rows[Positive], Field(min_length=2, max_length=2)] = (5.0, 14.0)
    """Slowest and fastest on streets (manhattan)."""
    block_m: Positive = 100.0
    """Between two streets."""
    train_m_s: Annotated[Rows[Positive], Field(min_length=2, max_length=2)] = (22.0, 36.0)
    """Slowest and fastest along the track; each user is a car of its own."""
    track: Annotated[Rows[Annotated[Rows[float], Field(min_length=2, max_length=2)]], Field(max_length=10_000)] = ()
    """Longitude and latitude of points along a road or railway, back and forth."""


class PositionTrace(Part):
    """A file of positions, read as a stream while the plant plays: SUMO's floating car data, or a table."""

    file: Annotated[str, Field(min_length=1, max_length=4096)]
    """Beside the scenario file; ``.gz`` is unpacked on the way. Rows in order of time over all users."""
    format: Literal["sumo", "csv"] = "sumo"
    """FCD XML, or comma-separated with a header."""
    degrees: bool = False
    """Positions are degrees east and north; otherwise metres."""
    lon: Longitude | None = None
    """Where (0, 0) of a trace in metres is."""
    lat: Latitude | None = None
    """The same."""
    time: Annotated[str, Field(min_length=1)] = "time"
    """Of a table: column of seconds."""
    user: Annotated[str, Field(min_length=1)] = "id"
    """Column of who it is."""
    x: Annotated[str, Field(min_length=1)] = "x"
    """Column of metres or degrees east."""
    y: Annotated[str, Field(min_length=1)] = "y"
    """Column of metres or degrees north."""
    starts_at_s: Annotated[float, Field(ge=-1e10, le=1e10)] = 0.0
    """Time of the trace when the plant begins."""
    max_gap_s: Positive = 10.0
    """Longest interval between two samples of a user to interpolate in; in a longer one it stands still."""
    skip: bool = False
    """Bad rows, users beyond `count` and places outside the map are left out and counted instead of refused."""


class Crowd(Part):
    """Users of one service class who move alike."""

    service: TopologyName
    """Name of a service class."""
    count: AtLeastOne
    """How many."""
    area: NodeName
    """Where they are, and stay."""
    moves: Movement = "still"
    """Still ones are spread over the area; others begin where their movement puts them."""
    trace: PositionTrace | None = None
    """Where they are, with `moves: trace`: the k-th user of the file is the k-th of the crowd."""
    indoors: Share = 0.0
    """Share of them that is inside buildings (TR 38.901, table 7.4.3-2)."""


class Downlink(Part):
    """What comes down to each user of a class; up go its tasks."""

    service: TopologyName
    """Name of a service class."""
    arrivals_per_s: Annotated[float, Field(gt=0, le=1e6)]
    """Mean."""
    packets: Annotated[int, Field(ge=1, le=1_000_000), INTEGRAL] = 1
    """An arrival."""
    bytes: Annotated[int, Field(ge=31, le=9_000), INTEGRAL] = 1_250
    """Size of a packet, or mean size."""
    size: Literal["fixed", "exponential", "imix"] = "fixed"
    """Law of sizes; `imix` is 64, 594 and 1518 bytes as 7 : 4 : 1."""
    arrival: Literal["poisson", "constant", "on-off"] = "poisson"
    """Law of arrivals."""
    on_s: Positive = 1.0
    """Mean time on of on-off arrivals."""
    off_s: Positive = 1.0
    """Mean time off."""


class AirRules(Part):
    """Rules of the air: handover by event A3 (TS 38.331), power control by TS 38.213 7.1.1."""

    step_ms: Annotated[int, Field(ge=10, le=1_000), INTEGRAL] = 100
    """Between two looks at positions, levels and loads."""
    p0_dbm: Annotated[float, Field(ge=-202, le=24)] = -80.0
    """Wanted power of a block."""
    alpha: Share = 0.8
    """Share of the loss that is made up for."""
    user_dbm: Annotated[float, Field(ge=-30, le=60)] = 23.0
    """Most power of a user."""
    hysteresis_db: NotNegative = 3.0
    """By which another cell must be stronger."""
    trigger_ms: NotNegative = 256.0
    """For how long it must be."""
    interruption_ms: NotNegative = 40.0
    """Without service at a handover."""
    reestablish_ms: NotNegative = 200.0
    """The same after a radio-link failure."""
    sleep_after_ms: MsCount = 0
    """A cell that was idle for this sleeps; 0: never."""
    wake_ms: MsCount = 0
    """From the first packet on."""


class Secrets(Part):
    """What the plant hides of its cells and users: twins start from the plan and have to find out. On by default."""

    loss_db: NotNegative = 3.0
    """Standard deviation of what a cell's links lose beyond the plan."""
    azimuth_deg: NotNegative = 5.0
    """Of a cell's azimuth."""
    tilt_deg: NotNegative = 1.0
    """Of its tilt."""
    efficiency: Annotated[Rows[Share], Field(min_length=2, max_length=2)] = (0.6, 0.75)
    """Least and most share of Shannon's rate that a cell reaches; uniform between."""
    in_order_share: Share = 0.25
    """Of the cells, that serve in order of waiting instead of in turn."""
    unseen_share: Share = 0.02
    """Of the users, that are never reported."""


class Access(Part):
    """Cells, people and the rules between them. The crowds are the devices then."""

    kinds: Annotated[Rows[CellKind], Field(min_length=1, max_length=64)]
    """Kinds of base stations."""
    masts: Annotated[Rows[Mast], Field(min_length=1, max_length=10_000)]
    """Base stations: where there is one of which kind."""
    areas: Annotated[Rows[Area], Field(min_length=1, max_length=256)]
    """Where people are; together they are the map."""
    crowds: Annotated[Rows[Crowd], Field(min_length=1, max_length=4_096)]
    """Who they are."""
    downlink: Annotated[Rows[Downlink], Field(max_length=64)] = ()
    """Classes without a row get nothing."""
    air: AirRules = AirRules()
    secrets: Secrets = Secrets()
