"""A running tree as Prometheus metrics, served over HTTP on loopback; the only module that imports prometheus_client.

    TreeWatch.seen() → TreeCollector → prometheus_client's text → one request of at most 5 s

Every name starts with ``tiertwin_``; docs/observation.md says how they are built, docs/counters.md lists the counters.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)

from tiertwin import __version__
from tiertwin.runtime.counters import COUNTERS, LAUNCHER, NODE, PROCESS
from tiertwin.runtime.counting import launcher_counts
from tiertwin.runtime.httpserver import LOOPBACK, Served
from tiertwin.runtime.roster import tier_word
from tiertwin.runtime.status import SESSION_WORDS, Waiting
from tiertwin.runtime.treewatch import BOUNDS_S, TreeWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from prometheus_client.core import Metric

    from tiertwin.runtime.treewatch import Seen
    from tiertwin.wire.keys import NodeKey

PATH = "/metrics"

# metric, field of the status, divisor, help; values below 0 mean "none" and are left out
_NODE_GAUGES = (
    ("epoch", "epoch", 1, "Base epoch the node lives in."),
    ("decided_epoch", "decided", 1, "Newest epoch it decided."),
    ("local_policy", "alone", 1, "1: no lease holds, the node decides by its local policy (P5)."),
    ("lease_epoch", "lease_epoch", 1, "Epoch of the lease it holds."),
    ("certified_gap_ratio", "gap", 1, "Certified gap of the newest certificate, at the root: (upper - lower) / scale."),
    ("waiting_seconds", "waiting_since_ms", 1e3, "How long it has been waiting for what tiertwin_node_waiting says."),
    ("incarnation", "incarnation", 1, "Which life of the node this is."),
)
_LINK_GAUGES = (
    ("session_state", "session", 1, "Session with this neighbour: "),
    ("suspect", "suspect", 1, "1: nothing heard for 1 s (R20)."),
    ("silent_seconds", "silent_ms", 1e3, "Since when nothing was heard of it."),
    ("round_trip_seconds", "rtt_ms", 1e3, "Newest round trip of a heartbeat."),
    ("data_age_seconds", "age_ms", 1e3, "Age of the data held of it: 99th percentile over rows (P14)."),
    ("peer_epoch", "epoch", 1, "Base epoch it said it lives in."),
    ("term", "term", 1, "Highest authority between the two (P6)."),
    ("unacknowledged_records", "unacknowledged", 1, "Records it has not acknowledged."),
    ("held_units", "held_units", 1, "Units held back until it takes more."),
)
_LINK_COUNTERS = (
    ("received_bytes", "bytes_in", "Bytes of frames from this neighbour."),
    ("sent_bytes", "bytes_out", "Bytes of frames to this neighbour."),
)
_NODE_COUNTERS = (
    ("received_frames", "frames_in", "Frames the node took in."),
    ("transmitted_frames", "frames_out", "Frames the node gave out."),
)
_STATES = ("running", "stopped", "gone", "elsewhere", "unknown")


class TreeCollector:
    """Turns what is seen of a tree into metric families.

    Parameters
    ----------
    look
        Returns how the tree stands; None: nobody knows.
    launcher
        What the launcher counted.
    """

    def __init__(self, look: Callable[[], Seen | None], launcher: Callable[[], Mapping[str, int]]) -> None:
        self._look, self._launcher = look, launcher

    def collect(self) -> Iterator[Metric]:
        """Yield every family; called once a request."""
        began = time.monotonic()
        seen = self._look()
        yield InfoMetricFamily("tiertwin_build", "Version of the program.", {"version": __version__})
        yield GaugeMetricFamily("tiertwin_tree_up", "1: the tree was looked at.", value=float(seen is not None))
        if seen is not None:
            yield from _nodes(seen)
            yield from _links(seen)
            yield from _ages(seen)
            yield from _processes(seen)
            yield from _counters(seen)
        counted = self._launcher()
        yield from _launcher(counted)
        took = time.monotonic() - began
        yield GaugeMetricFamily("tiertwin_scrape_seconds", "How long it took to put this together.", value=took)


def _nodes(seen: Seen) -> Iterator[Metric]:
    labels = ["node", "tier"]
    up = GaugeMetricFamily("tiertwin_node_up", "1: the node answers.", labels=labels)
    for node in seen.tree.nodes:
        if node.port:
            up.add_metric([node.name, tier_word(node.tier)], float(node.name in seen.reports))
    yield up
    led = {node.name: node.parent for node in seen.tree.nodes}
    held = list(_statuses(seen))
    for metric, attribute, divisor, text in _NODE_GAUGES:
        family = GaugeMetricFamily(f"tiertwin_node_{metric}", text, labels=labels)
        for name, tier, status in held:
            value = getattr(status, attribute)
            if value >= 0:
                family.add_metric([name, tier], value / divisor)
        yield family
    lease = GaugeMetricFamily(
        "tiertwin_node_lease_left_seconds", "How long its lease still holds; below 0: lapsed (R17).", labels=labels
    )
    waiting = GaugeMetricFamily(
        "tiertwin_node_waiting", "1: it waits for this (parent, children, solver, budget).", labels=[*labels, "reason"]
    )
    for name, tier, status in held:
        if status.lease_epoch >= 0 and led[name] is not None:
            lease.add_metric([name, tier], status.lease_left_ms / 1e3)
        for code in Waiting:
            if code is not Waiting.NOTHING:
                waiting.add_metric([name, tier, code.name.lower()], float(int(status.waiting) == code))
    yield lease
    yield waiting
    for metric, attribute, text in _NODE_COUNTERS:
        counter = CounterMetricFamily(f"tiertwin_{metric}", text, labels=labels)
        for name, tier, status in held:
            counter.add_metric([name, tier], getattr(status, attribute))
        yield counter


def _links(seen: Seen) -> Iterator[Metric]:
    labels = ["node", "tier", "peer"]
    links = [([name, tier, link.peer], link) for name, tier, status in _statuses(seen) for link in status.links]
    words = ", ".join(f"{code} {word}" for code, word in sorted(SESSION_WORDS.items()))
    for name, attribute, divisor, text in _LINK_GAUGES:
        help_text = text + words + "." if text.endswith(": ") else text
        family = GaugeMetricFamily(f"tiertwin_link_{name}", help_text, labels=labels)
        for where, link in links:
            value = getattr(link, attribute)
            if value >= 0:
                family.add_metric(where, value / divisor)
        yield family
    for name, attribute, text in _LINK_COUNTERS:
        counter = CounterMetricFamily(f"tiertwin_link_{name}", text, labels=labels)
        for where, link in links:
            counter.add_metric(where, getattr(link, attribute))
        yield counter


def _statuses(seen: Seen) -> Iterator[tuple[str, str, Any]]:
    for node in seen.tree.nodes:
        report = seen.reports.get(node.name)
        if report is not None and report.status is not None:
            yield node.name, tier_word(node.tier), report.status


def _ages(seen: Seen) -> Iterator[Metric]:
    family = HistogramMetricFamily(
        "tiertwin_data_age_seconds",
        "Ages of the data that nodes of a tier hold of their children (P14), looked at once a second.",
        labels=["tier"],
    )
    for tier, ages in sorted(seen.ages.items()):
        running, buckets = 0, []
        for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], ages.counts, strict=True):
            running += count
            buckets.append((bound, float(running)))
        family.add_metric([tier_word(tier)], buckets, ages.total_s)
    yield family


def _processes(seen: Seen) -> Iterator[Metric]:
    state = GaugeMetricFamily("tiertwin_process_state", "1: the process is in this state.", labels=["process", "state"])
    rss = GaugeMetricFamily("tiertwin_process_resident_memory_bytes", "Resident memory.", labels=["process"])
    cpu = CounterMetricFamily("tiertwin_process_cpu_seconds", "CPU time, user and system.", labels=["process"])
    for process in seen.processes:
        name = process.look.name
        for word in _STATES:
            state.add_metric([name, word], float(word == process.look.state))
        if process.rss_bytes:
            rss.add_metric([name], process.rss_bytes)
            cpu.add_metric([name], process.cpu_s)
    yield from (state, rss, cpu)


def _counters(seen: Seen) -> Iterator[Metric]:
    """What nodes count, then what processes count: the latter come with each node of the process, and are told once."""
    nodes, processes = _families(NODE, ["node", "tier"]), _families(PROCESS, ["process"])
    told: set[str] = set()
    for node in seen.tree.nodes:
        report = seen.reports.get(node.name)
        if report is None:
            continue
        _add(nodes, NODE, [node.name, tier_word(node.tier)], report.counts)
        if node.process not in told:
            told.add(node.process)
            _add(processes, PROCESS, [node.process], report.counts)
    yield from nodes.values()
    yield from processes.values()


def _launcher(counted: Mapping[str, int]) -> Iterator[Metric]:
    families = _families(LAUNCHER, ["process"])
    _add(families, LAUNCHER, ["launcher"], launcher_counts(counted))
    yield from families.values()
    waiting = GaugeMetricFamily("tiertwin_pool_waiting", "Problems that wait for a worker of the solver pool.")
    waiting.add_metric([], counted.get("waiting", 0))
    yield waiting


def _families(scope: str, labels: list[str]) -> dict[str, CounterMetricFamily]:
    """Return an empty metric for each family of a scope; families of several reasons say which."""
    found: dict[str, CounterMetricFamily] = {}
    for counter in COUNTERS:
        if counter.scope == scope and counter.family not in found:
            text = (
                f"By reason, with its rule; in {counter.unit}." if counter.reason else _help(counter.help, counter.unit)
            )
            every = [*labels, *(["reason"] if counter.reason else []), "rule"]
            found[counter.family] = CounterMetricFamily(f"tiertwin_{counter.family}", text, labels=every)
    return found


def _help(text: str, unit: str) -> str:
    return f"{text[0].upper()}{text[1:]}; in {unit}."


def _add(families: Mapping[str, CounterMetricFamily], scope: str, labels: list[str], counts: Mapping[str, int]) -> None:
    """Add the counts of one node or process: all families of one row, of the others the rows that are not 0."""
    for counter in COUNTERS:
        if counter.scope != scope:
            continue
        count = counts.get(counter.name, 0)
        if count or not counter.reason:
            reason = [counter.reason] if counter.reason else []
            families[counter.family].add_metric([*labels, *reason, counter.rule], count)


# -- over HTTP ---------------------------------------------------------------------------------------------------------
class MetricsServer:
    """``http://127.0.0.1:PORT/metrics``; a context manager that leaves neither thread nor socket behind.

    It listens from the start, and says that it knows nothing until :meth:`watch` tells it what to look at.

    Parameters
    ----------
    port
        0: the system chooses.

    Raises
    ------
    InputError
        The port is taken, or may not be used.
    """

    def __init__(self, port: int) -> None:
        self._watch: TreeWatch | None = None
        self._launcher: Callable[[], Mapping[str, int]] = dict
        registry = CollectorRegistry(auto_describe=False)
        registry.register(TreeCollector(self._look, self._launcher_counts))
        self._served = Served("metrics", LOOPBACK, port, _only(PATH, make_wsgi_app(registry)))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{LOOPBACK}:{self._served.port}{PATH}"

    def watch(self, folder: Path, key: NodeKey, launcher: Callable[[], Mapping[str, int]]) -> None:
        """Look at the tree that runs in this folder from now on, with an observer's key."""
        self._launcher = launcher
        self._watch = TreeWatch(folder, key).__enter__()

    def _launcher_counts(self) -> Mapping[str, int]:
        return self._launcher()

    def _look(self) -> Seen | None:
        return None if self._watch is None else self._watch.seen()

    def close(self) -> None:
        """Stop looking, then serving. Twice is harmless."""
        if self._watch is not None:
            self._watch.close()
        self._served.close()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _only(path: str, app: Any) -> Any:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == path:
            return app(environ, start)  # type: ignore[no-any-return]
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"Metrics are at {path}.\n".encode()]

    return answer
