"""Telemetry from one process into the table of another: sessions over CURVE against numpy over pyzmq, and zenoh.

A frame holds 1 000 updates: 8 attributes of 125 rows of a table of 10 000.

- **Ours** sends from a `Peer` (numbers, credit, acknowledgements, heartbeats), writing and encoding as it goes, and
  receives by `NodeEndpoint` (admission of every frame) and `Peer.receive` (every check of the protocol, digest kept).
- **numpy over pyzmq** sends the same bytes, encoded beforehand, by PUSH; the consumer does last-number-wins on arrays
  and nothing else (`ingest.py`): no check, no acknowledgement, no digest.
- **zenoh** puts the same bytes (TCP between two peers, blocking congestion control) to the same numpy consumer; no
  encryption, so it is held against ours without.

Sockets without CURVE exist in these benchmarks alone: `PlainLink` in `sync_links.py`. The product has
no setting that leads to one.

`latency` is one way, from the first write of a frame to its last cell in the other table, of frames sent every 500 µs;
the figure is the 99th percentile. `one at a time` writes single cells (`StateTable.put`), publishes after 1 000 of
them and counts cells written; those overwritten before they left are coalesced.

`batch` is from arrays to arrays: ours writes its table, numbers, encodes, sends, checks and takes in; the peers make
bytes of the same updates in the best form they have (`sync_peers.py`), and take them in. `curve and log` has twins
with logs at both ends (`sync_logged.py`), a real `fdatasync` a group, and ends when all is durable at both; beside it
the log writer alone, the same frames on the same disk.

Where a least ratio is promised, it stands in `claim`, and `holds` says whether it was met here.

    python benchmarks/sync.py [--quick] [--json] [--folder DIR]

`--folder` says on which disk logs are (default: where temporary files are).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import zmq
from durable import Place, frames_of, write
from ingest import ATTRIBUTES
from sync_ends import PART, ROWS, UPDATES, OurReceiver, OurSender, Run
from sync_links import CHILD, PARENT, CurveLink, PlainLink, keys_of, until
from sync_logged import LoggedReceiver, LoggedSender
from sync_peers import ByteSender, NumpyReceiver, ZenohReceiver

from support import Case, main
from tiertwin.wire.keys import KeyPair, Member, make_keys


def sender(setting: dict[str, Any]) -> None:
    """Run the other process."""
    keys = None if setting["keys"] is None else keys_of(setting["keys"])
    address = setting["address"]
    if setting["kind"] == "ours":
        OurSender(PlainLink(address) if keys is None else CurveLink(keys, CHILD, PARENT, address)).serve()
    elif setting["kind"] == "logged":
        assert keys is not None
        LoggedSender(CurveLink(keys, CHILD, PARENT, address), setting["folder"]).serve()
    elif setting["kind"] == "numpy":
        push: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUSH)
        if keys is not None:
            public = keys.access.public_of(PARENT)
            assert public is not None
            mine = KeyPair.fresh()
            push.setsockopt(zmq.CURVE_PUBLICKEY, mine.public)
            push.setsockopt(zmq.CURVE_SECRETKEY, mine.secret)
            push.setsockopt(zmq.CURVE_SERVERKEY, public)
        push.connect(address)
        ByteSender(push.send).serve()
    else:
        import zenoh

        config = zenoh.Config()
        config.insert_json5("mode", '"peer"')
        config.insert_json5("connect/endpoints", f'["{address}"]')
        config.insert_json5("scouting/multicast/enabled", "false")
        session: Any = zenoh.open(config)
        block = zenoh.CongestionControl.BLOCK
        publisher = session.declare_publisher("bench/frames", congestion_control=block)
        until(lambda: bool(publisher.matching_status.matching), lambda: time.sleep(0.02), "subscriber")
        ByteSender(publisher.put).serve()


class Pair:
    """Ours and a peer on the same work."""

    def __init__(self, ours: OurReceiver, peer: NumpyReceiver | None, what: str, count: int, other: str = "") -> None:
        self.ours, self.peer, self.what, self.count = ours, peer, what, count
        self.other = other  # what the peer does, where it is called otherwise

    def setup(self) -> None:
        self.ours.keep()
        if self.peer is not None:
            self.peer.prepare(self.count)

    def run_ours(self, _: None) -> Run:
        return self.ours.run(self.what, self.count)

    def run_peer(self, _: None) -> Run:
        assert self.peer is not None
        return self.peer.run(self.other or self.what, self.count)

    def check(self, ours: Run, peer: Run | None) -> None:
        table = self.ours.table
        assert table.digest() == ours.digest, "our table differs from the sender's"
        if self.peer is not None and peer is not None:
            for attribute in range(ATTRIBUTES):
                rows, theirs = min(self.count * PART, ROWS), self.peer.arrays.value[attribute]
                np.testing.assert_array_equal(table.column(attribute + 1)[:rows], theirs[:rows])


class OnOff(Pair):
    """Ours with CURVE against ours without."""

    def __init__(self, curve: OurReceiver, plain: OurReceiver, count: int) -> None:
        super().__init__(curve, None, "frames", count)
        self.plain = plain

    def setup(self) -> None:
        self.ours.keep()
        self.plain.keep()

    def run_peer(self, _: None) -> Run:
        return self.plain.run(self.what, self.count)

    def check(self, ours: Run, peer: Run | None) -> None:
        assert peer is not None
        assert self.ours.table.digest() == ours.digest, "our table differs from the sender's"
        assert self.plain.table.digest() == peer.digest, "the table without CURVE differs from the sender's"


class WithLog:
    """Ours with CURVE and logs at both ends, against the log writer alone on that disk."""

    def __init__(self, ours: LoggedReceiver, place: Place, count: int) -> None:
        self.ours, self.place, self.count, self.what = ours, place, count, "frames"
        self.bytes = frames_of(count, PART, ATTRIBUTES)

    def setup(self) -> Path:
        self.ours.keep()
        return self.place.fresh()

    def run_ours(self, _: Path) -> Run:
        return self.ours.run("frames", self.count)

    def run_peer(self, folder: Path) -> int:
        return write(folder, self.bytes)

    def check(self, ours: Run, peer: int | None) -> None:
        assert self.ours.table.digest() == ours.digest, "our table differs from the sender's"
        assert peer in (None, self.count * UPDATES), f"expected {self.count * UPDATES} durable records, got {peer}"


def case(
    name: str, pair: Pair | WithLog, peer_name: str, *, target: float | None = None, claim: float | None = None
) -> Case:
    """Return the case of a pair; `claim`: the least ratio promised."""
    latency = pair.what == "paced"
    return Case(
        f"sync/{name}",
        pair.run_ours,
        None if target is not None else pair.run_peer,
        peer_name,
        pair.check,
        "s" if latency else "updates/s",
        float(pair.count * (1 if pair.what == "singles" else UPDATES)),
        pair.setup,
        target,
        figure=(lambda run: run.p99_s) if latency else None,
        cpu=lambda run: run.cpu_s if isinstance(run, Run) else 0.0,
        claim=claim if target is None else 1.0,
    )


def cases(quick: bool, folder: Path | None = None) -> Iterable[Case]:
    """Yield the cases; each has processes and sessions of its own."""
    count, few, many = (800, 400, 200_000) if quick else (2000, 1000, 500_000)
    keys = make_keys([Member(PARENT, "fog"), Member(CHILD, "edge", (PARENT,))], time.time())
    over = "numpy over pyzmq, last-number-wins only"
    for what, amount, name in (("frames", count, "throughput"), ("paced", few, "latency p99")):
        for used, word in ((keys, "curve"), (None, "plain")):
            with NumpyReceiver(used) as peer, OurReceiver(used) as ours:
                yield case(f"{name}/{word}", Pair(ours, peer, what, amount), over)
    with NumpyReceiver(None) as peer, OurReceiver(None) as ours:
        yield case("batch/plain", Pair(ours, peer, "frames", count, "batch"), "numpy bytes over pyzmq")
    with OurReceiver(keys) as curve, OurReceiver(None) as plain:
        yield case("throughput/curve of plain", OnOff(curve, plain, count), "ours without CURVE", claim=0.45)
    with OurReceiver(keys) as ours:
        yield case("one at a time/curve", Pair(ours, None, "singles", many), "the promise", target=2e6)
    with tempfile.TemporaryDirectory(dir=folder) as root, LoggedReceiver(keys, Path(root)) as logged:
        both = WithLog(logged, Place(Path(root) / "alone"), count)
        yield case("curve and log", both, "the promise", target=4e6)
        yield case("curve and log/of the log", both, "the log writer alone", claim=0.5)
    try:
        import zenoh  # noqa: F401
    except ImportError:
        print('zenoh is not installed, its cases are left out: pip install "tiertwin[bench]"', file=sys.stderr)
        return
    for what, amount, name in (("frames", count, "throughput"), ("paced", few, "latency p99")):
        with ZenohReceiver() as peer, OurReceiver(None) as ours:
            yield case(f"{name}/plain, zenoh", Pair(ours, peer, what, amount), "eclipse-zenoh into numpy")
    with ZenohReceiver() as peer, OurReceiver(None) as ours:
        pair = Pair(ours, peer, "frames", count, "batch")
        yield case("batch/plain, zenoh", pair, "numpy bytes over eclipse-zenoh", claim=2.0)


def flags(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark's own."""
    parser.add_argument("--folder", type=Path, default=None, help="on which disk; default: that of temporary files")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sender"]:
        sender(json.loads(sys.argv[2]))
    else:
        main(__doc__ or "", cases, flags)
