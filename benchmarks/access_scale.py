"""What one second of the radio access network of `mixed` costs, from a thousand to a million metering devices.

    python benchmarks/access_scale.py                     # the table of docs/plant.md
    python benchmarks/access_scale.py --single            # every packet arrives by itself
    python benchmarks/access_scale.py --tasks             # a plant of tasks over it, as `tiertwin run mixed` has it
    python benchmarks/access_scale.py --devices 1000 --json

Each size runs in a process of its own: its peak of memory is its own. Active users are a tenth of the devices; radio,
mobility, handover, scheduling, losses and telemetry are on, packets are of 1250 bytes and less. A packet event is a
birth, a loss or a reception; packets of one task that a slot carries together are counted in one go. ``build`` finds
everybody's links and is paid once; an epoch is one second after a first one. With ``--tasks`` the scenario `mixed` of
that size is played: nine tasks of ten leave their device, reports are taken; its events are those of packets too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import time

import numpy as np

from tiertwin.plant import SimulatedPlant
from tiertwin.plant.access import AccessPlant
from tiertwin.plant.accessconfig import CLASSES, AccessClass
from tiertwin.world import load, resolve
from tiertwin.world.access import AccessFlow
from tiertwin.world.mixed import mixed
from tiertwin.world.mixedscenario import mixed_scenario

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SECOND = 1_000_000_000
EPOCHS = 2


def singly(kind: AccessClass) -> AccessClass:
    """Return the class with as many packets, each an arrival of its own."""

    def one(flow: AccessFlow) -> AccessFlow:
        return dataclasses.replace(flow, pps=flow.pps * flow.packets, packets=1)

    return dataclasses.replace(kind, down=one(kind.down), up=one(kind.up))


def measure(devices: int, single: bool) -> dict[str, float]:
    """Play it in this process and return what it took."""
    world = mixed(devices)
    wall, cpu = time.perf_counter(), time.process_time()
    plant = AccessPlant.of(world, seed=1, classes=[singly(c) for c in CLASSES] if single else CLASSES)
    built = {"build_wall_s": time.perf_counter() - wall, "build_cpu_s": time.process_time() - cpu}
    plant.advance(SECOND)
    plant.take_kpis()
    wall, cpu = time.perf_counter(), time.process_time()
    for epoch in range(EPOCHS):
        plant.advance((2 + epoch) * SECOND)
        plant.take_reports(plant.now_ns)
    wall, cpu = (time.perf_counter() - wall) / EPOCHS, (time.process_time() - cpu) / EPOCHS
    groups = plant.take_kpis().groups
    events = float(sum(groups[name].sum() for name in ("sent", "received", "lost"))) / EPOCHS
    return {
        "devices": devices,
        "active": world.active,
        "cells": world.cell_count,
        **built,
        "wall_s": wall,
        "cpu_s": cpu,
        "events": events,
        "events_a_cpu_s": events / cpu,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_tasks(devices: int) -> dict[str, float]:
    """Play the plant of tasks over the radio access in this process and return what it took."""
    world = resolve(load(mixed_scenario(devices, devices // 10)))
    access = world.access
    assert access is not None
    wall, cpu = time.perf_counter(), time.process_time()
    plant = SimulatedPlant(world, 1)
    built = {"build_wall_s": time.perf_counter() - wall, "build_cpu_s": time.process_time() - cpu}
    groups = np.arange(world.device_count)
    plant.actuate(groups, np.tile([0.1, 0.5, 0.25, 0.15], (len(groups), 1)))
    plant.advance(SECOND, 0)
    plant.kpis()
    wall, cpu = time.perf_counter(), time.process_time()
    for epoch in range(EPOCHS):
        plant.advance((2 + epoch) * SECOND, 1 + epoch)
        plant.telemetry(plant.now_ns)
        plant.take_sensor_reports(plant.now_ns)
    wall, cpu = (time.perf_counter() - wall) / EPOCHS, (time.process_time() - cpu) / EPOCHS
    books = plant.kpis()
    radio = books.radio
    assert radio is not None
    up = radio.up_bits / 10_000  # packets of 1250 bytes, about
    events = (2 * up + radio.down_sent + radio.down_received + radio.down_lost) / EPOCHS
    return {
        "devices": devices,
        "active": int((access.walk > 0).sum()),
        "cells": access.cell_count,
        **built,
        "wall_s": wall,
        "cpu_s": cpu,
        "tasks": books.total("generated") / EPOCHS,
        "events": events,
        "events_a_cpu_s": events / cpu,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure each size in a process of its own and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=None, help="this size only, in this process")
    parser.add_argument("--single", action="store_true", help="no bursts: every packet is an arrival of its own")
    parser.add_argument("--json", action="store_true", help="one JSON object a size")
    parser.add_argument("--tasks", action="store_true", help="the scenario mixed: tasks over the air, links, servers")
    options = parser.parse_args()
    if options.devices is not None:
        found = measure_tasks(options.devices) if options.tasks else measure(options.devices, options.single)
        print(json.dumps(found))
        return
    if not options.json:
        print("| devices | active | cells | build CPU s | epoch wall s | epoch CPU s | packet events/s of CPU | MB |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for devices in SIZES:
        command = [sys.executable, __file__, "--devices", str(devices), "--json"]
        command += ["--single"] * options.single + ["--tasks"] * options.tasks
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(line)
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        print(
            f"| {devices:,} | {row['active']:,} | {row['cells']:,} | {row['build_cpu_s']:.2f} | {row['wall_s']:.3f} | "
            f"{row['cpu_s']:.3f} | {row['events_a_cpu_s'] / 1e6:.1f} M | {row['mb']:.0f} |".replace(",", " "),
            flush=True,
        )


if __name__ == "__main__":
    main()
