"""What a user writes: one scenario. Frozen, validated, no behaviour; `tiertwin.world` turns it into arrays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tiertwin.model.access import Access
from tiertwin.model.attributes import Attributes
from tiertwin.model.deployment import Deployment
from tiertwin.model.faults import Assurance, Faults, Trust
from tiertwin.model.fields import (
    INTEGRAL,
    AtLeastOne,
    Count,
    NodeName,
    NotNegative,
    Part,
    Positive,
    Rows,
    Share,
    TopologyName,
)
from tiertwin.model.privacy import PrivacyRules
from tiertwin.model.services import DEFAULT_CLASSES, Radio, ServiceClass
from tiertwin.model.surroundings import BaseStations, Failures, Weather
from tiertwin.model.topology import Topology

Hours = Annotated[Rows[NotNegative], Field(min_length=2, max_length=288)]


class Rhythm(Part):
    """The two rhythms of a tier."""

    report_ms: Annotated[int, Field(ge=1, le=60_000), INTEGRAL] = 50
    """How often changed rows are summarised and sent up."""
    control_every: Annotated[int, Field(ge=1, le=86_400), INTEGRAL] = 1
    """Base epochs between two decisions of the tier."""


class Tiers(Part):
    """Rhythms, a tier each."""

    device: Rhythm = Rhythm()
    edge: Rhythm = Rhythm()
    fog: Rhythm = Rhythm()
    cloud: Rhythm = Rhythm(control_every=5)


class Fogs(Part):
    """Fog domains: a connected partition of the nodes, balanced by demand."""

    count: Annotated[int, Field(ge=1, le=1_000), INTEGRAL] | None = None
    """Without it one for 8 1/3 nodes, at least one."""
    gateways: Annotated[Rows[TopologyName], Field(max_length=1_000)] = ()
    """Nodes the fogs stand at, in number order; without it the demand-weighted median of each domain."""


class Cloud(Part):
    """The cloud region."""

    at: TopologyName | None = None
    """Its node; without it the node with the largest demand."""


class Sites(Part):
    """Edge sites: one a node."""

    urban_factor: Positive = 1.0
    """A site is `urban` where its demand density is at least this many times that of the whole network."""
    urban_ghz: Positive = 64.0
    """Edge server of a site of high demand density, GHz over all cores."""
    rural_ghz: Positive = 16.0
    """The same at one of low demand density."""
    core_ghz: Annotated[float, Field(gt=0, le=100)] = 2.0
    """Clock of every server core, GHz."""


class Placed(Part):
    """Devices put at a named site, beside those split by demand."""

    site: TopologyName
    """Name of a node."""
    service: TopologyName
    """Name of a service class."""
    count: AtLeastOne
    """How many."""
    ring: Count | None = None
    """Without it spread over the rings by their shares."""


class Devices(Part):
    """How many devices there are and where."""

    count: Count | None = None
    """Devices split over the sites by demand; without it 400 a site."""
    minimum_per_site: Annotated[int, Field(ge=0, le=1_000_000), INTEGRAL] = 50
    """No site gets fewer of `count` (as far as it reaches), so that no group is empty."""
    placed: Annotated[Rows[Placed], Field(max_length=10_000)] = ()
    ghz: Annotated[Rows[Positive], Field(min_length=2, max_length=2)] = (0.5, 1.0)
    """Slowest and fastest device clock, GHz; devices lie evenly between."""


class Day(Part):
    """How demand moves over the day: evenly spaced points of a shape, stretched to the stated peaks."""

    urban: Hours = (
        0.32, 0.24, 0.19, 0.17, 0.19, 0.30, 0.55, 0.92, 1.22, 1.36, 1.40, 1.36,
        1.27, 1.24, 1.28, 1.34, 1.43, 1.53, 1.56, 1.47, 1.28, 1.02, 0.74, 0.50,
    )  # fmt: skip
    """Two humps: the working day and the way home (an assumption)."""
    rural: Hours = (
        0.36, 0.27, 0.21, 0.19, 0.22, 0.34, 0.56, 0.80, 0.95, 1.00, 1.03, 1.08,
        1.12, 1.10, 1.08, 1.12, 1.24, 1.44, 1.66, 1.82, 1.78, 1.49, 1.05, 0.64,
    )  # fmt: skip
    """One hump in the evening (an assumption)."""
    background: Hours = (
        0.62, 0.50, 0.43, 0.40, 0.42, 0.50, 0.66, 0.84, 0.98, 1.06, 1.10, 1.12,
        1.14, 1.15, 1.16, 1.19, 1.24, 1.30, 1.37, 1.43, 1.44, 1.36, 1.15, 0.84,
    )  # fmt: skip
    """Backbone traffic with its evening peak (an assumption)."""
    background_peak: Annotated[float, Field(ge=1, le=3)] = 1.4
    """Highest over mean of the background."""


class Dimensioning(Part):
    """How servers and links are sized from the demand."""

    mean_load: Annotated[float, Field(gt=0, lt=1)] = 0.7
    """Offered load over all server capacity at the daily mean."""
    peak_load: Annotated[float, Field(gt=0, le=4)] = 1.1
    """The same at the busiest epoch."""
    sites_at_most: Annotated[float, Field(gt=0, lt=1)] = 0.75
    """Largest share of all server capacity at the sites; sites beyond it shrink in proportion."""
    fog_share: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Share of the fogs in what the sites leave; the cloud has the rest."""
    background_ratio: NotNegative = 1.0
    """Total of the background matrix over the device traffic if every task were sent, daily means."""
    background_utilisation: Annotated[float, Field(gt=0, lt=1)] = 0.45
    """No link's daily-mean background exceeds this share of its capacity."""
    offload_utilisation: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Nor background and planned offload together this one."""
    planned_site_share: Share = 0.25
    """Share of a site's device traffic that its links are planned for."""
    planned_fog_share: Share = 0.15
    """Share of a domain's device traffic that the links to the cloud are planned for."""
    link_modules_mbps: Annotated[Rows[Positive], Field(min_length=1, max_length=64)] = (
        100.0, 200.0, 400.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 25_000.0, 100_000.0,
    )  # fmt: skip
    """Capacities a link, or the part of it set aside for this traffic, can have."""
    lan_mbps: Positive = 10_000.0
    """Where a gateway stands at the site itself and no link is crossed."""


class Telemetry(Part):
    """What the twins learn of the plant, and how badly."""

    period_s: Positive = 1.0
    """Time between two reports of a device, server or link."""
    delay_ms: Annotated[Rows[NotNegative], Field(min_length=2, max_length=2)] = (20.0, 80.0)
    """Least and most; uniform between."""
    loss: Share = 0.01
    """Share of reports that never arrive."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.03
    """Relative standard deviation."""
    clock_offset_ms: NotNegative = 50.0
    """Each device clock is off by a fixed amount, uniform within plus and minus this."""


class ObjectiveConstants(Part):
    """Constants of the objective: delay kappa·y/(C−y) at capacity C, kappa = kappa0·C (servers: and queueing)."""

    kappa0_radio: Positive = 1.0
    """utils/s a cell."""
    kappa0_compute: Positive = 0.1
    """utils/s a GHz."""
    kappa0_link: Positive = 0.01
    """utils/s a Mb/s."""
    energy_utils_per_j: NotNegative = 0.1
    """What a joule costs."""
    device_kappa: NotNegative = 1e-27
    """Device energy kappa·f²·cycles, J at f in Hz."""
    server_kappa: NotNegative = 1e-28
    """The same of a server core."""


class Policy(Part):
    """How decisions are made."""

    leaf_solver: Annotated[str, Field(min_length=1, max_length=64)] = "auto"
    """Solver of a site: `kernel`, `cvxpy`, an installed allocator, or `auto` (the kernel where it fits)."""
    master_solver: Literal["kernel", "cvxpy"] = "kernel"
    """Solver of an inner node: `kernel` (with cvxpy behind it, for answers that fail their check) or `cvxpy` alone."""
    target_gap: Annotated[float, Field(gt=0, lt=1)] = 1e-3
    """Certified gap at which rounds stop in the first decision, in units of S."""
    warm_target_gap: Annotated[float, Field(gt=0, lt=1)] = 3e-3
    """The same in later decisions, which start from a refresh of what is known."""
    max_rounds: Annotated[int, Field(ge=1, le=100), INTEGRAL] = 6
    """Rounds of cuts and points an epoch, at most."""
    alignment: Literal["forecast", "hold"] = "forecast"
    """Demand is predicted over the time from measuring it to the middle of the decision's, or taken as measured."""


class Scenario(Part):
    """One world and the way it is run."""

    name: NodeName
    """What runs and folders are called."""
    about: Annotated[str, Field(max_length=10_000)] = ""
    """For people."""
    seed: Annotated[int, Field(ge=0, lt=2**63), INTEGRAL] = 7
    """Seed of plant and telemetry where a run is given none; the network never depends on it."""
    epochs_per_day: Annotated[int, Field(ge=1, le=86_400), INTEGRAL] = 60
    """Epochs after which the day repeats."""
    base_epoch_s: Annotated[float, Field(ge=0.01, le=3_600)] = 1.0
    """Length of a base epoch, s."""
    tiers: Tiers = Tiers()
    topology: Topology
    fogs: Fogs = Fogs()
    cloud: Cloud = Cloud()
    classes: Annotated[Rows[ServiceClass], Field(min_length=1, max_length=64)] = DEFAULT_CLASSES
    radio: Radio = Radio()
    sites: Sites = Sites()
    devices: Devices = Devices()
    day: Day = Day()
    dimensioning: Dimensioning = Dimensioning()
    telemetry: Telemetry = Telemetry()
    objective: ObjectiveConstants = ObjectiveConstants()
    policy: Policy = Policy()
    failures: Failures | None = None
    """Failures, wear and sensors of links and servers; without it nothing fails."""
    weather: Weather | None = None
    """Rain over the map and the microwave links it slows; without it the sky is clear."""
    base_stations: BaseStations | None = None
    """Energy and sleep of base stations; without it neither is counted."""
    access: Access | None = None
    """Cells, and people who move among them; without it devices stay at their site, at the rate of their ring."""
    attributes: Attributes | None = None
    """What gateways tell when bytes are scarce; without it they tell everything."""
    faults: Faults | None = None
    """Faults injected into the plant, given or drawn; without it there are none."""
    assurance: Assurance | None = None
    """Twins that notice and localise faults while they run; without it nobody looks."""
    trust: Trust | None = None
    """Twins that notice children that lie, and do without them; without it all are believed."""
    privacy: PrivacyRules | None = None
    """Domains of several owners, and what may cross their borders; without it all is one owner's."""
    deployment: Deployment | None = None
    """Which processes make up the tree, and where they are; without it a run is one process."""


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors and for `tiertwin init --schema`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
