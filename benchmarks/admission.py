"""The door of a node: start-up proofs, handshakes, and a listed child's round trips while strangers crowd it.

No peer does the same, so each case stands against the promise it must keep. The answer is asserted: every listed key
is served, every stranger refused, and a garbage connection leaves no descriptor behind. The last two print memory and
the 99th percentile beside their figure.

    python benchmarks/admission.py [--quick] [--json]
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from support import Case, main
from tiertwin.wire.context import WireContext
from tiertwin.wire.endpoint import LinkEvent
from tiertwin.wire.keys import KeyPair, KeySet, Member, make_keys
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress

HELLO = b"TW\x01\x01" + bytes(16) + (1).to_bytes(4, "little") + bytes(72)
STORM = """
import socket, sys, time
port, per_second, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
end, at = time.monotonic() + seconds, time.monotonic()
while time.monotonic() < end:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        try:
            sock.sendall(b"\\xff" + bytes(8) + b"\\x7f\\x03\\x01CURVE" + bytes(200))
        except OSError:
            pass
    at += 1 / per_second
    time.sleep(max(0.0, at - time.monotonic()))
"""


class Node:
    """A parent and what it needs, with room for children of listed names."""

    def __init__(self, children: int, parents: int = 1) -> None:
        names = [f"fog-{k}" for k in range(parents)]
        members = [Member(name, "fog") for name in names]
        members += [Member(f"edge-{k}", "edge", ("fog-0",)) for k in range(children)]
        self.keys: KeySet = make_keys(members, time.time())
        self.wire = WireContext(
            self.keys.access, now_ns=time.monotonic_ns(), now_s=time.time(), handshakes_a_minute=1_000_000
        )
        self.events: list[LinkEvent] = []
        self.parents = [NodeEndpoint(self.wire, name, self.keys.keys[name].pair, bind=Bind()) for name in names]

    def prove(self) -> None:
        self.wire.prove(self.parents, time.monotonic_ns)

    def child(self, k: int) -> NodeEndpoint:
        fog = self.parents[0]
        parent = ParentAddress("fog-0", fog.address, self.keys.keys["fog-0"].pair.public)
        made = NodeEndpoint(self.wire, f"edge-{k}", self.keys.keys[f"edge-{k}"].pair, parent=parent, jitter_seed=k)
        made.open(time.monotonic_ns())
        return made

    def turn(self, wait_ms: float = 50) -> dict[object, list[str]]:
        """One turn of the loop: what was heard by whom, from whom; fog-0 answers everything."""
        self.wire.tick(time.monotonic_ns(), time.time())
        heard: dict[object, list[str]] = {}
        for node in self.wire.wait(wait_ms):
            assert isinstance(node, NodeEndpoint)
            self.events += node.link_events()
            for peer, frame in node.receive():
                heard.setdefault(node, []).append(peer)
                if node is self.parents[0]:
                    node.send(peer, frame)
        return heard


def proofs(count: int) -> Case:
    def ours() -> int:
        node = Node(0, count)
        node.prove()
        done = sum(parent.proven for parent in node.parents)
        assert node.wire.counters() == {"admitted": 0}
        node.wire.close()
        return done

    def check(done: int, _: None) -> None:
        assert done == count

    return Case(f"admission/proofs/{count}", ours, None, "promise: a part of 8 s start-up", check, target=2.0)


def handshakes(count: int) -> Case:
    """From the first connect until the last child has its answer."""

    def ours(node: Node) -> int:
        children = {node.child(k) for k in range(count)}
        unsaid = set(children)
        served: set[object] = set()
        while served != children:
            served |= node.turn().keys() & children
            unsaid -= {child for child in unsaid if child.peers() and child.send("fog-0", HELLO)}
        node.wire.close()
        return len(served)

    def setup() -> Node:
        node = Node(count)
        node.prove()
        return node

    def check(served: int, _: None) -> None:
        assert served == count

    name = "promise: 500 children in 5 s (P16)"
    return Case(f"admission/herd/{count}", ours, None, name, check, "handshakes/s", float(count), setup, target=100.0)


def round_trips(node: Node, count: int, storm: int) -> Case:
    """Round trips of one child, beside `storm` stranger connections a second."""
    node.prove()
    child = node.child(0)
    while not child.peers():
        node.turn()
    worst: list[float] = []

    def trip() -> None:
        assert child.send("fog-0", HELLO)
        end = time.monotonic() + 10
        while child not in node.turn():
            assert time.monotonic() < end, f"no answer; {node.events[-3:]}, {node.parents[0].counters()}"

    def ours() -> int:
        crowd = None
        if storm:
            command = [sys.executable, "-c", STORM, str(node.parents[0].port), str(storm), "60"]
            crowd = subprocess.Popen(command)
            time.sleep(0.3)
        took = []
        for _ in range(count):
            start = time.perf_counter()
            trip()
            took.append(time.perf_counter() - start)
            if storm:
                time.sleep(0.001)  # spread over the crowd's connections
        if crowd is not None:
            crowd.kill()
            crowd.wait()
        worst.append(sorted(took)[int(0.99 * count)])
        return count

    def check(done: int, _: None) -> None:
        assert done == count
        assert node.wire.counters()["admitted"] == 1
        print(f"    p99 of a round trip beside {storm} strangers/s: {worst[-1] * 1e3:.2f} ms", file=sys.stderr)

    return Case(f"admission/round-trips/{storm}-strangers", ours, None, "", check, "round trips/s", float(count))


def garbage(node: Node, count: int) -> Case:
    """Random bytes on `count` connections."""
    node.prove()
    noise = random.Random(1)

    def rss_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def ours() -> int:
        held = []
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", node.parents[0].port))
            sock.sendall(noise.randbytes(500))
            held.append(sock)
            node.turn(0)
        for sock in held:
            sock.close()
        return count

    def check(done: int, _: None) -> None:
        before, files = rss_mb(), len(os.listdir("/proc/self/fd"))
        cpu = time.process_time()
        ours()
        spent = time.process_time() - cpu
        end = time.monotonic() + 5
        while len(os.listdir("/proc/self/fd")) > files and time.monotonic() < end:
            node.turn()
        assert len(os.listdir("/proc/self/fd")) <= files, "descriptors left open"
        assert node.wire.counters() == {"admitted": 0}
        print(f"    {count} garbage connections: {rss_mb() - before:+.1f} MB, {spent:.2f} s of CPU", file=sys.stderr)

    return Case(f"admission/garbage/{count}", ours, None, "", check, "connections/s", float(count))


def lone_key() -> Case:
    return Case(
        "admission/keys/1000", lambda: [KeyPair.fresh() for _ in range(1000)], None, "",
        lambda keys, _: None, "keys/s", 1000.0,
    )  # fmt: skip


def cases(quick: bool) -> Iterator[Case]:
    yield lone_key()
    yield proofs(50)
    yield handshakes(100 if quick else 500)
    makers: list[Callable[[Node], Case]] = [
        lambda node: round_trips(node, 500, 0),
        lambda node: round_trips(node, 500, 200),
        lambda node: garbage(node, 300),
    ]
    for make in makers:
        node = Node(1)
        yield make(node)
        node.wire.close()


if __name__ == "__main__":
    main(__doc__ or "", cases)
