"""What may act on the plant besides its tasks: failures and wear, weather, sleep of base stations. Off by default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tiertwin.model.fields import NotNegative, Part, Positive, Rows, TopologyName

Celsius = Annotated[float, Field(ge=-100, le=100)]
MODULATIONS = {
    "QPSK": 2, "8-PSK": 3, "16-QAM": 4, "32-QAM": 5, "64-QAM": 6, "128-QAM": 7, "256-QAM": 8, "512-QAM": 9,
    "1024-QAM": 10, "2048-QAM": 11, "4096-QAM": 12,
}  # fmt: skip
"""Bits a symbol of the steps of adaptive modulation."""
Modulation = Literal[
    "QPSK", "8-PSK", "16-QAM", "32-QAM", "64-QAM", "128-QAM", "256-QAM", "512-QAM", "1024-QAM", "2048-QAM", "4096-QAM"
]
Station = Literal["macro", "rrh", "micro", "pico", "femto"]


class Weibull(Part):
    """Hazard (shape/scale)·(age/scale)^(shape−1)·exp(per_k·(T − reference) + per_load·load)."""

    shape: Annotated[float, Field(gt=0, le=100)] = 1.5
    """Above 1: wears out; 1: no memory; below 1: early failures."""
    scale_s: Annotated[float, Field(gt=0, le=1e12)]
    """Age that 63 % fail before, s, at the reference temperature without load."""
    per_k: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Of the logarithm of the hazard, 1/K."""
    per_load: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Of the logarithm of the hazard from idle to full load."""


class Degradation(Part):
    """A state X with drift and Brownian noise, 0 when new; the element fails when X first reaches the limit."""

    drift_per_s: Annotated[float, Field(gt=0, le=1e6)]
    """Of X at the reference temperature, 1/s; hotter by the Arrhenius factor."""
    sigma: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Standard deviation of X after one second, 1/√s."""
    limit: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """X at which the element fails."""
    activation_ev: Annotated[float, Field(ge=0, le=5)] = 0.7
    """Activation energy of the Arrhenius factor, eV."""


class Heat(Part):
    """Temperature: ambient + k_per_w·(idle_w + (max_w − idle_w)·load) + wear_k·X, °C."""

    reference_c: Annotated[float, Field(ge=-100, le=200)] = 25.0
    """At which drift and hazard are stated, °C."""
    idle_w: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Power without load, W."""
    max_w: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Power at full load, W."""
    k_per_w: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    """Thermal resistance, K/W."""
    wear_k: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    """Warmer by this for each unit of X, K."""


class Signals(Part):
    """What the sensors of an element tell besides its temperature (couplings of ours)."""

    vibration_mm_s: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Vibration rms when new, mm/s."""
    vibration_growth_mm_s: Annotated[float, Field(ge=0, le=1e6)] = 2.0
    """More of it for each unit of X, mm/s."""
    errors_per_s: Annotated[float, Field(ge=0, le=1e6)] = 0.01
    """Mean rate of errors when new; times exp(X)."""


class Repair(Part):
    """How long a failed element stays down; after it, it is as new."""

    mean_s: Annotated[float, Field(gt=0, le=1e9)] = 60.0
    """Mean time, s."""
    law: Literal["exponential", "lognormal"] = "exponential"
    """Of the time."""
    sigma: Annotated[float, Field(gt=0, le=5)] = 0.5
    """Standard deviation of its logarithm (lognormal)."""


class FailureLaw(Part):
    """How an element fails: by a Weibull process, by degradation, or by whichever comes first."""

    weibull: Weibull | None = None
    degradation: Degradation | None = None
    heat: Heat = Heat()
    signals: Signals = Signals()
    repair: Repair = Repair()


class OwnLaw(Part):
    """A law for one link or one edge server, instead of that of its kind."""

    link: Annotated[Rows[TopologyName], Field(min_length=2, max_length=2)] | None = None
    """Names of the two nodes it joins."""
    site: TopologyName | None = None
    """Name of the node of the edge server, where it is no link."""
    law: FailureLaw


class Failures(Part):
    """Failures, wear and sensors, by kind of element; kinds without a law never fail."""

    period_s: Annotated[float, Field(ge=0.001, le=1e6)] = 1.0
    """Between two measurements: load and temperature of one period hold for the next, s."""
    ambient_c: Celsius = 20.0
    """Daily mean of the air, °C."""
    swing_c: Annotated[float, Field(ge=0, le=100)] = 0.0
    """The air is this much colder at the start of the day and warmer at its middle, K."""
    links: FailureLaw | None = None
    """Every link, both ways at once."""
    sites: FailureLaw | None = None
    """Every edge server."""
    fogs: FailureLaw | None = None
    """Every fog server."""
    cloud: FailureLaw | None = None
    """The cloud server."""
    own: Annotated[Rows[OwnLaw], Field(max_length=10_000)] = ()


class Rain(Part):
    """Random cells of rain that cross the map (all values ours)."""

    cells_per_hour: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    """Births over 1000 km² an hour."""
    life_s: Annotated[float, Field(gt=0, le=1e6)] = 1_800.0
    """Mean life of a cell; uniform within half of it."""
    radius_km: Annotated[float, Field(ge=0.01, le=1_000)] = 4.0
    """Mean distance at which the rate is 1/e of the peak; uniform within half of it."""
    peak_mm_h: Annotated[float, Field(ge=0, le=200)] = 30.0
    """Mean peak of a cell, mm/h; exponential, at most 200."""
    speed_km_h: Annotated[float, Field(ge=0, le=500)] = 30.0
    """Of the drift."""
    heading_deg: Annotated[float, Field(ge=-360, le=360)] = 90.0
    """Where the cells drift to, clockwise from north: 90 is east."""
    heading_spread_deg: Annotated[float, Field(ge=0, le=180)] = 10.0
    """Standard deviation between cells."""


class RainCell(Part):
    """One cell of rain, as a study wants it."""

    lon: Annotated[float, Field(ge=-180, le=180)]
    """Where it is born, degrees east."""
    lat: Annotated[float, Field(ge=-90, le=90)]
    """Where it is born, degrees north."""
    at_s: Annotated[float, Field(ge=-1e7, le=1e7)] = 0.0
    """When; before the start of the run is possible, s."""
    life_s: Annotated[float, Field(ge=0.001, le=1e7)] = 1_800.0
    """Rises and falls as sin² over this, s."""
    radius_km: Annotated[float, Field(ge=0.01, le=1_000)] = 4.0
    """Distance at which the rate is 1/e of the peak, km."""
    peak_mm_h: Annotated[float, Field(ge=0, le=200)]
    """Rate at its centre halfway through its life, mm/h."""
    speed_km_h: Annotated[float, Field(ge=0, le=500)] = 0.0
    """Of its drift."""
    heading_deg: Annotated[float, Field(ge=-360, le=360)] = 90.0
    """Where it drifts to, clockwise from north."""


class Microwave(Part):
    """A link that is a microwave hop with adaptive modulation instead of fibre; its capacity is that of clear sky."""

    a: TopologyName
    """One end: the name of a node."""
    b: TopologyName
    """The other end."""
    ghz: Annotated[float, Field(ge=1, le=1_000)] = 18.0
    """Carrier."""
    polarisation: Literal["horizontal", "vertical"] = "vertical"
    """Rain weakens horizontal polarisation more."""
    modulation: Modulation = "4096-QAM"
    """Densest step of the modulation, that of clear sky."""
    margin_db: Annotated[float, Field(ge=0, le=200)] = 3.0
    """What clear sky leaves above the SNR of that step, dB; at least the hysteresis."""


class Weather(Part):
    """Rain, and the links it slows."""

    period_s: Annotated[float, Field(ge=0.001, le=1e6)] = 10.0
    """Between two looks at the rain, s."""
    hysteresis_db: Annotated[float, Field(ge=0, le=100)] = 1.0
    """A denser step is taken when the signal is this much above what it needs, dB."""
    rain: Rain | None = None
    cells: Annotated[Rows[RainCell], Field(max_length=10_000)] = ()
    microwave: Annotated[Rows[Microwave], Field(max_length=50_000)] = ()


class BaseStations(Part):
    """Power of the sites' base stations (EARTH model), one station a cell, and their sleep."""

    urban: Station = "macro"
    """Kind at sites of high demand density."""
    rural: Station = "macro"
    """Kind at the others."""
    sleep_after_s: Positive | None = None
    """The stations of a site sleep when nothing was sent there for this, s; without it never."""
    wake_s: NotNegative = 0.1
    """An upload that finds them asleep waits for this, s."""
