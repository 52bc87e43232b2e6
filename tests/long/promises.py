"""Measures the figures of docs/promises.md that are durations or sizes, which no test asserts; prints one JSON object.

    python tests/long/promises.py [recovery solver stop memory age partition herd tables] [--seconds 60] [--report FILE]

recovery   P4: processes of edges and fogs killed, until the first session of what the launcher starts again is live;
           the same for `tiertwin node`
solver     P4: a solver killed; until its successor is warm
stop       P15: every process of a tree asked to end by SIGTERM, once and twice; until the last is gone
memory     P8: a process of fogs stopped (SIGSTOP) for --seconds; growth of its neighbours
age        P14: age of what edges and the root know of devices, 99th percentile; of edges under both clocks
partition  P3: a cable cut both ways for --seconds (root, network namespaces); until both ends hold the same
herd       P16: a parent restarts, 500 children that were connected come again by themselves; until all are served

Keep the output with the commit and the date, from a machine that does nothing else: the load before and after is in it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.facilities import namespaces
from support.herd import Herd
from support.inprocess import reporting_world
from support.processes import Known
from support.trees import Live, live_tree
from tiertwin import run
from tiertwin.runtime.measure import Meter
from tiertwin.runtime.treewatch import TreeWatch
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import METRICS, Member, make_keys
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress
from tiertwin.world import World

ROOT = Path(__file__).resolve().parents[2]
HELLO = b"TW\x01\x01" + bytes(16) + (1).to_bytes(4, "little") + bytes(72)
PATIENCE_S = 120.0


@contextmanager
def tree(world: World | None = None) -> Iterator[Live]:
    """Metro (or `world`) under the real clock, every session live."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        live_tree(patch, Path(folder), world=world) as live,
    ):
        yield live


def wait(condition: Callable[[], object], what: str, turn: Callable[[], object] = lambda: time.sleep(0.01)) -> float:
    """Turn until something holds; how long it took, s."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE_S:
            raise SystemExit(f"waited {PATIENCE_S:g} s for this: {what}")
        turn()
    return round(time.monotonic() - began, 3)


def rss_mb(process: Known) -> float:
    """Resident memory, 10⁶ bytes."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def recovery(seconds: float) -> dict[str, Any]:
    """P4: until the log says that the first session of a lost process is live; kept by the launcher, and by hand."""
    del seconds
    with tree() as live:
        kept = [supervised(live, name) for name in ("edges-1", "edges-2", "fogs-1", "fogs-2", "fogs-3")]
        live.known["edges-1"].signal(signal.SIGTERM)  # asked to end, it stays away
        live.epochs(1)
        by_hand = []
        for k in range(5):
            by_hand.append(started_by_hand(live, k))
            live.epochs(1)
    return {
        "supervised_from_kill_s": [from_kill for from_kill, _ in kept],
        "supervised_from_start_s": [from_start for _, from_start in kept],
        "by_hand_from_start_s": by_hand,
        "largest_from_start_s": max([*by_hand, *(from_start for _, from_start in kept)]),
    }


def supervised(live: Live, name: str) -> tuple[float, float]:
    """Kill a process; time until its successor has a session, from the kill and from its start, s."""
    launcher, old = live.run.launcher, live.known[name]
    log = launcher.plan.folder / "logs" / f"{name}.log"
    before = log.read_text().count('"session live"')
    old.signal(signal.SIGKILL)

    def started() -> bool:
        child = launcher.children.get(name)
        return child is not None and child.pid != old.pid

    until_start = wait(started, "it is started again", lambda: launcher.turn(10))
    from_start = wait(
        lambda: log.read_text().count('"session live"') > before, "a session is live", lambda: launcher.turn(10)
    )
    live.epochs(2)
    return round(until_start + from_start, 3), from_start


def started_by_hand(live: Live, k: int) -> float:
    """Start `tiertwin node` for edges-1; time until it has a session, s."""
    folder = live.run.launcher.plan.folder
    command = [sys.executable, "-m", "tiertwin", "node", "--process", "edges-1"]
    text = folder / f"again-{k}.log"
    with text.open("wb") as log:
        again = subprocess.Popen(
            [*command, "--deployment", str(folder / "deployment.json")], stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        return wait(lambda: '"session live"' in text.read_text(), "a session is live")
    finally:
        again.kill()
        again.wait()


def solver(seconds: float) -> dict[str, Any]:
    """P4: a solver killed, until its successor says that it is warm."""
    del seconds
    took = []
    with tree() as live:
        launcher = live.run.launcher
        for name in ("solver-1", "solver-2") * 2:
            old = launcher.children[name].pid
            Known.of(old).signal(signal.SIGKILL)

            def warm(name: str = name, old: int = old) -> bool:
                child = launcher.children.get(name)
                return child is not None and child.pid != old and launcher.was_there(name, time.time_ns())

            took.append(wait(warm, "a warm solver", lambda: launcher.turn(10)))
            live.epochs(1)
    return {"warm_again_s": took, "largest_s": max(took)}


def stop(seconds: float) -> dict[str, Any]:
    """P15: all processes of twins asked at once, 5 times each way."""
    del seconds
    found: dict[str, Any] = {}
    for times in (1, 2):
        took = []
        for _ in range(5):
            with tree() as live:
                twins = [known for name, known in live.known.items() if not name.startswith("solver")]
                for known in twins:
                    known.signal(signal.SIGTERM)
                if times == 2:
                    time.sleep(0.05)
                    for known in twins:
                        known.signal(signal.SIGTERM)
                took.append(wait(lambda t=twins: not any(known.alive for known in t), "all are gone"))
        found[f"asked_{times}_times_s"] = took
    return found


def memory(seconds: float) -> dict[str, Any]:
    """P8: neighbours of a stopped process; they send at the rate of the scenario."""
    with tree() as live:
        live.epochs(10)
        others = {n: k for n, k in live.known.items() if not n.startswith(("fogs-1", "solver"))}
        before = {name: rss_mb(known) for name, known in others.items()}
        live.known["fogs-1"].pause()
        live.epochs(int(seconds))
        grown = {name: round(rss_mb(known) - before[name], 1) for name, known in others.items()}
        live.known["fogs-1"].signal(signal.SIGCONT)
        live.epochs(3)
    return {"stopped_s": seconds, "growth_mb": grown, "largest_mb": max(grown.values())}


def age(seconds: float) -> dict[str, Any]:
    """P14: edge ← device at the end of each base epoch, over all devices; root ← device over fogs and classes; ms."""
    with tree() as live:
        meter = Meter(live.run.world)
        for _ in range(int(min(seconds, 30))):
            live.epochs(1)
            books = live.run.plant_books()
            if books is not None:
                meter.epoch(live.run.observe(), *books)
    table = run("metro", epochs=30).kpis("hierarchical")
    virtual = [v for k, v in zip(table["kpi"], table["value"], strict=True) if k == "aoi_p99_ms"]
    real = [row.values["aoi_p99_ms"] for row in meter.rows]
    edge = {"real_clock_p99_ms": spread(real), "virtual_clock_p99_ms": spread(virtual)}
    return {"edge": edge, "root": [root_age(way, seconds) for way in ((0.0, 20.0), (20.0, 80.0))]}


def root_age(way_ms: tuple[float, float], seconds: float, report_ms: int = 50) -> dict[str, Any]:
    """How old the oldest sample below each fog is by class, as the root knows it; looked at every 50 ms or so."""
    found: list[float] = []
    with tree(reporting_world(report_ms, way_ms)) as live:
        launcher = live.run.launcher
        with TreeWatch(launcher.plan.folder, launcher.keys.keys[METRICS]) as watch:
            end = time.monotonic() + min(seconds, 30)
            while time.monotonic() < end:
                live.epochs(1)
                seen = watch.seen()
                reports = {} if seen is None else seen.reports
                found += [
                    link.age_ms
                    for name, report in reports.items()
                    if name.startswith("cloud")
                    for link in report.status.links
                    if link.age_ms >= 0
                ]
    ages = np.array(found)
    percentiles = {f"p{p}_ms": round(float(np.percentile(ages, p)), 1) for p in (50, 90, 99)}
    return {
        "way_ms": way_ms,
        "report_ms": report_ms,
        "bound_ms": 3 * report_ms + 100,
        "looks": len(ages),
        **percentiles,
    }


def partition(seconds: float) -> dict[str, Any]:
    """P3: what tests/support/partitioned.py says."""
    script = ROOT / "tests" / "support" / "partitioned.py"
    with namespaces("long") as pair, tempfile.TemporaryDirectory() as folder:
        inside = (shutil.which("ip") or "ip", "netns", "exec", pair.near, sys.executable, str(script))
        words = (folder, pair.far, pair.device, pair.near_address, "both", str(int(seconds)))
        done = subprocess.run([*inside, *words], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    return {"cut_epochs": int(seconds), "wrong": seen["wrong"], "agreed_s": seen["agreed_s"]}


def herd(seconds: float, count: int = 500) -> dict[str, Any]:
    """P16: one process for all children, another context for the parent; the door only, no sessions."""
    del seconds
    keys = make_keys(
        [Member("fog-0", "fog"), *(Member(f"edge-{k}", "edge", ("fog-0",)) for k in range(count))], time.time()
    )

    def parent(port: int) -> tuple[WireContext, NodeEndpoint]:
        wire = WireContext(keys.access, now_ns=time.monotonic_ns(), now_s=time.time(), handshakes_a_minute=10**6)
        node = NodeEndpoint(wire, "fog-0", keys.keys["fog-0"].pair, bind=Bind("127.0.0.1", port))
        wire.prove([node], time.monotonic_ns)
        return wire, node

    below = WireContext(Access(()), now_ns=time.monotonic_ns(), now_s=time.time())
    above, fog = parent(0)
    port, address = fog.port, ParentAddress("fog-0", fog.address, keys.keys["fog-0"].pair.public)
    children = []
    for k in range(count):
        child = NodeEndpoint(below, f"edge-{k}", keys.keys[f"edge-{k}"].pair, parent=address, jitter_seed=k)
        child.open(time.monotonic_ns())
        children.append(child)

    def served(above: WireContext, fog: NodeEndpoint) -> float:
        unsaid, unserved = set[NodeEndpoint](), set(children)

        def turn() -> None:
            for child in children:
                child.tick(time.monotonic_ns())
            for wire in (above, below):
                wire.tick(time.monotonic_ns(), time.time())
                for node in wire.wait(5):
                    assert isinstance(node, NodeEndpoint)
                    if node is not fog and any(event.kind == "up" for event in node.link_events()):
                        unsaid.add(node)
                    for peer, frame in node.receive():
                        if node is fog:
                            node.send(peer, bytes(frame))
                        else:
                            unserved.discard(node)
            unsaid.difference_update([c for c in unsaid if c.peers() and c.send("fog-0", HELLO)])

        return wait(lambda: not unserved, "all are served", turn)

    first = served(above, fog)
    above.close()
    gc.collect()
    gone = time.monotonic() + 2
    while time.monotonic() < gone:  # every child notices, and knocks ever more slowly
        below.tick(time.monotonic_ns(), time.time())
        below.wait(20)
    began = time.monotonic()
    above, fog = parent(port)
    proven = round(time.monotonic() - began, 3)
    again = served(above, fog)
    above.close()
    below.close()
    return {"children": count, "first_s": first, "restart_proof_s": proven, "served_again_s": again}


def tables(seconds: float, count: int = 500) -> dict[str, Any]:
    """P16: sessions over real sockets, the parent's twin made anew; until it and all children hold the same again."""
    del seconds
    herd = Herd(count)
    first = herd.until_all_hold_the_same()
    busy = time.process_time()
    herd.restart_parent()
    again = herd.until_all_hold_the_same()
    spent = time.process_time() - busy
    idle = herd.idle_share(3.0)
    found = {"children": count, "rows": herd.rows, "first_s": first, "again_s": again, "processor_s": spent}
    found |= {"most_snapshots_at_once": herd.most, "idle_processor_share": idle}
    herd.close()
    return found


def spread(values: list[float]) -> dict[str, float]:
    """Median and largest."""
    return {"p50": round(statistics.median(values), 1), "max": round(max(values), 1)}


MEASURES = {one.__name__: one for one in (recovery, solver, stop, memory, age, partition, herd, tables)}


def main() -> None:
    """Measure what was asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", nargs="*", choices=[[], *MEASURES], help="all by default")
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--report", type=Path, help="write the JSON here too")
    asked = options.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    found: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"), "commit": commit.stdout.strip(), "load_before": os.getloadavg(),
    }  # fmt: skip
    for name in asked.what or MEASURES:
        found[name] = MEASURES[name](asked.seconds)
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    found["load_after"] = os.getloadavg()
    text = json.dumps(found, indent=1)
    print(text)
    if asked.report is not None:
        asked.report.write_text(text + "\n")


if __name__ == "__main__":
    main()
