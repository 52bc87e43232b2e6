"""Service classes and the radio they reach the network by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from tiertwin.model.fields import NotNegative, Part, Positive, Rows, Share, TopologyName

MAX_TRACE_TIMES = 100_000
MAX_TASKS_PER_S = 1e6


class Trace(Part):
    """When every device of a class makes its tasks; the day does not change it."""

    file: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """Beside the scenario file: a CSV with a column `time_s`, or one time a line; s from the start, ascending."""
    times_s: Annotated[Rows[NotNegative], Field(max_length=MAX_TRACE_TIMES)] = ()
    """The times themselves, instead of a file; what a run directory holds, so that it stands alone."""
    repeat_s: Positive | None = None
    """Period, each device with a phase of its own; without it all devices play the times once, together."""


class ServiceClass(Part):
    """One kind of task. A task of D megabits takes D·C·1e6 cycles."""

    # the two forms of a class, for editors; `tiertwin.model.checks` says the same with a path
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"arrival": {"const": "trace"}}, "required": ["arrival"]},
            "then": {"required": ["trace"]},
            "else": {"required": ["tasks_per_s"]},
        }
    )

    name: TopologyName
    """As people write it."""
    share: Share
    """Share of all devices; the shares of all classes add up to 1."""
    tasks_per_s: Annotated[float, Field(gt=0, le=MAX_TASKS_PER_S)] | None = None
    """Daily mean of one device: required, but with `arrival: trace`, where it is that of the trace."""
    megabits: Positive
    """Input of one task, D."""
    cycles_per_bit: Positive
    """Work of one task, C."""
    deadline_s: Positive
    """From the making of a task to its result."""
    alpha: Annotated[float, Field(ge=0, le=16)] = 1.0
    """Exponent of the alpha-fair utility."""
    b: Positive = 1.0
    """Utility weight of one task, utils."""
    s: NotNegative | None = None
    """Utils lost per second of latency; without it b / deadline_s: a task at its deadline is worth nothing."""
    arrival: Literal["poisson", "onoff", "trace"] = "poisson"
    """Independent tasks; bursts: the device is on and off for exponential times; or the times of a trace."""
    on_s: Positive = 5.0
    """Mean time on of on-off arrivals."""
    off_s: NotNegative = 5.0
    """Mean time off; while on, tasks come at tasks_per_s · (on_s + off_s) / on_s."""
    trace: Trace | None = None
    transmit_w: NotNegative = 0.5
    """Radio transmit power of a device of the class, W."""


DEFAULT_CLASSES = (
    ServiceClass(
        name="vehicle", share=0.2, tasks_per_s=1.0, megabits=0.2, cycles_per_bit=500.0, deadline_s=0.1, alpha=2.0,
        b=2.0, transmit_w=0.2,
    ),
    ServiceClass(
        name="AR", share=0.1, tasks_per_s=5.0, megabits=0.5, cycles_per_bit=100.0, deadline_s=0.05, alpha=1.0, b=0.5,
        arrival="onoff", on_s=4.0, off_s=4.0,
    ),
    ServiceClass(
        name="video", share=0.1, tasks_per_s=0.5, megabits=4.0, cycles_per_bit=200.0, deadline_s=1.0, alpha=1.0, b=2.0,
        arrival="onoff", on_s=10.0, off_s=5.0,
    ),
    ServiceClass(
        name="metering", share=0.6, tasks_per_s=1.0 / 60.0, megabits=0.01, cycles_per_bit=100.0, deadline_s=10.0,
        alpha=0.5, b=0.2,
    ),
)  # fmt: skip
"""The classes of the reference model; `b` is ours, and so are the on-off times."""


class Radio(Part):
    """Distance rings of a cell: each a share of the devices and an uplink rate while a device holds the cell."""

    ring_rates_mbps: Annotated[Rows[Positive], Field(min_length=1, max_length=64)] = (178.0, 125.0, 77.0, 47.0, 28.0)
    """40 MHz x 0.8 x spectral efficiency of CQI 15, 12, 9, 7, 5 (TS 38.214, table 5.2.2.1-2), rounded."""
    ring_shares: Annotated[Rows[Share], Field(min_length=1, max_length=64)] = (0.2, 0.2, 0.2, 0.2, 0.2)
    """Share of a site's devices in each ring."""
    cell_load: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """A site gets as many cells as keep its airtime at this load if every task of the mean day were sent."""
