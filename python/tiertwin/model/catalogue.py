"""Attributes that a gateway may tell, by whose they are, and those that decisions read: names only, loads nothing."""

from __future__ import annotations

GROUP = (
    "task_rate", "users", "radio_mbps", "queue_tasks", "cpu_load", "latency_ms", "completed", "missed", "energy_j",
)  # fmt: skip
SERVER = (
    "task_rate", "up", "prb_up", "prb_up_peak", "load_ghz", "server_queue", "power_w", "handovers", "temperature_c",
    "vibration_mm_s", "errors", "least_response",
)  # fmt: skip
LINK = (
    "up", "capacity_mbps", "background_mbps", "load_mbps", "rain_loss_db", "rate_bits", "temperature_c",
    "vibration_mm_s", "errors", "frames", "frame_errors",
)  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {"group": GROUP, "server": SERVER, "link": LINK}

READ: tuple[tuple[str, str], ...] = (
    ("server", "task_rate"), ("server", "up"), ("link", "up"), ("server", "prb_up"), ("server", "prb_up_peak"),
    ("group", "task_rate"), ("link", "background_mbps"), ("link", "capacity_mbps"), ("group", "radio_mbps"),
)  # fmt: skip
"""What decisions read, in the order in which somebody who knows them would ask for it."""
