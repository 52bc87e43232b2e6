"""A tree of processes under the real clock as a script holds it, and a telemetry source of one's own beside it.

with LiveTree("metro", own=["plant-centre"]) as tree:
    source = tree.source("plant-centre", MyReader())
    for epoch in range(5):
        source.run_until(tree.end_of(epoch))
        print(tree.epoch(epoch).values["certified_gap"])
"""

from __future__ import annotations

import secrets
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from tiertwin.errors import InputError, ProcessError, UnknownNameError, suggest
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.clock import EpochClock, RealClock
from tiertwin.runtime.launcher import TreePlan
from tiertwin.runtime.livehost import MILLISECOND, LiveHost
from tiertwin.runtime.livepool import LivePool
from tiertwin.runtime.liverun import LiveRun
from tiertwin.runtime.measure import EpochRow, Meter
from tiertwin.runtime.metrics import open_metrics
from tiertwin.runtime.plan import make_plan, settings_of
from tiertwin.runtime.processes import lay_out
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.tree import Life, make_twins
from tiertwin.twin.attributes import A
from tiertwin.twin.events import Sampled
from tiertwin.twin.layout import Layout, gateway_layout
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.zeromq import NodeEndpoint, ParentAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import networkx as nx
    import numpy.typing as npt

    from tiertwin.model import Scenario
    from tiertwin.runtime.exposition import MetricsServer
    from tiertwin.twin.effects import Actuate

    F64 = npt.NDArray[np.float64]

BEAT_MS = 50.0  # longest wait of a source's loop: heartbeats and acknowledgements are due in between


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """Values of one attribute for some rows of a site's telemetry table, measured now.

    Parameters
    ----------
    attribute
        Name of one in `tiertwin.twin.attributes.A`, in small letters: ``task_rate``, ``load_ghz``, ``background_mbps``.
    rows
        ``[k]`` rows of the table; see :meth:`LiveTree.layout_of`.
    values
        ``[k]`` in the attribute's unit.
    """

    attribute: str
    rows: Sequence[int] | npt.NDArray[np.int64]
    values: Sequence[float] | F64


class Reader(Protocol):
    """Somebody's own network: what it measures, and what it does with set-points."""

    def read(self) -> Iterable[Measured]:
        """Measure now; called once a report."""
        ...

    def act(self, wanted: Actuate) -> None:
        """Put set-points in force."""
        ...


class LiveTree:
    """A tree of processes under the real clock; a context manager that leaves no process behind.

    Parameters
    ----------
    scenario
        Anything :func:`tiertwin.load` takes.
    own
        Plant's sides (``plant-<site>``) that the script brings itself, by :meth:`source`.
    seed
        Of the simulated plant at the other sites.
    processes
        How many processes each tier gets; None: the default.
    folder
        For logs and state; None: a temporary one.
    metrics
        Port of loopback at which Prometheus finds the tree (:attr:`metrics_url`); 0: a free one, None: none. Needs the
        extra ``metrics``.

    Raises
    ------
    InputError, UnknownNameError
        Wrong scenario, or a name in `own` that is no plant's side.
    """

    def __init__(
        self,
        scenario: str | Path | nx.Graph[Any] | Scenario,
        own: Sequence[str] = (),
        *,
        seed: int | None = None,
        processes: Mapping[str, int] | str | None = None,
        folder: str | Path | None = None,
        metrics: int | None = None,
    ) -> None:
        from tiertwin.world import load, resolve  # noqa: PLC0415  pydantic

        plan = make_plan(load(scenario), 1, seed, [HIERARCHICAL])
        self.world = resolve(plan.scenario)
        self.roster = Roster(self.world)
        sides = [name for name in self.roster.names if self.roster.is_plant(name)]
        for name in own:
            if name not in sides:
                raise UnknownNameError(f"own: expected a plant's side, got {name!r}{suggest(name, sides)}")
        if set(own) == set(sides):
            raise InputError("own: expected at least one site left to the simulated plant, got all of them")
        self._own = frozenset(own)
        self._settings = settings_of(plan, self.world, HIERARCHICAL)
        layout = lay_out(self.roster, processes)
        self._layout = [replace(p, nodes=tuple(n for n in p.nodes if n not in self._own)) for p in layout]
        self._folder = None if folder is None else Path(folder)
        self._metrics_port = metrics
        self._metrics: MetricsServer | None = None
        self._stack = ExitStack()
        self._run: LiveRun | None = None
        self._meter = Meter(self.world)

    def __enter__(self) -> Self:
        folder = self._folder
        if folder is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tiertwin-")))
        plan = TreePlan(
            self.world,
            self.roster,
            self._settings,
            [p for p in self._layout if p.nodes],
            2,
            folder,
            real_clock=True,
        )
        try:
            self._metrics = self._stack.enter_context(open_metrics(self._metrics_port))
            self._run = LiveRun(plan, self._metrics)
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self._run.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._run = self._metrics = None

    @property
    def run(self) -> LiveRun:
        """The running tree; InputError outside the ``with`` block."""
        if self._run is None:
            raise InputError("the tree does not run: use it inside `with LiveTree(…) as tree:`")
        return self._run

    @property
    def metrics_url(self) -> str | None:
        """Where the metrics are while the tree runs, None without."""
        return None if self._metrics is None else self._metrics.url

    def end_of(self, epoch: int) -> int:
        """When base epoch `epoch` ends, ns since 1970."""
        return self.run.launcher.origin + self.run.start_of(epoch + 1)

    def epoch(self, epoch: int) -> EpochRow:
        """Wait until base epoch `epoch` is over and return its KPIs (``.values`` by name).

        Raises
        ------
        ProcessError
            The plant slept through the epoch (an overloaded machine; the next one can be asked for), or it is gone.
        """
        self.run.run_epoch(epoch)
        books = self.run.plant_books()
        if books is None:
            raise ProcessError(self.run.news[-1])
        return self._meter.epoch(self.run.observe(), *books)

    def source(self, name: str, reader: Reader) -> TelemetrySource:
        """Connect a telemetry source of one's own; `name` was given as `own`."""
        if name not in self._own:
            raise UnknownNameError(f"source: expected one of `own`, got {name!r}{suggest(name, sorted(self._own))}")
        source = TelemetrySource(self, name, reader)
        self._stack.callback(source.close)
        return source

    def layout_of(self, name: str) -> Layout:
        """Rows of the telemetry table of a plant's side: devices first, then servers, then directed links."""
        return gateway_layout(self.world, self.roster.nodes[name].site)

    @property
    def settings(self) -> Any:
        """What every host of this tree was told."""
        return self._settings


class TelemetrySource:
    """The plant's side of one site, outside the tree's processes: its own key, session and loop.

    It measures by `reader.read()` at every report, sends what changed to its gateway, and hands set-points to
    `reader.act`. Nothing runs by itself: call :meth:`run_until` or :meth:`run_for`.

    Parameters
    ----------
    tree
        The running tree.
    name
        ``plant-<site>``.
    reader
        Somebody's own network.
    """

    def __init__(self, tree: LiveTree, name: str, reader: Reader) -> None:
        launcher, node = tree.run.launcher, tree.roster.nodes[name]
        self.name, self._reader = name, reader
        self.cpu_s = 0.0
        self._clock = RealClock()
        assert node.parent is not None
        self._wire = WireContext(Access(()), now_ns=time.monotonic_ns(), now_s=time.time())
        self._board = Switchboard(self._wire)
        there = launcher.addresses[node.parent]
        public = launcher.keys.keys[node.parent].public.encode()
        address = ParentAddress(node.parent, f"tcp://{there.host}:{there.port}", public)
        endpoint = NodeEndpoint(self._wire, name, launcher.keys.keys[name].pair, parent=address)
        endpoint.open(time.monotonic_ns())
        self._board.connect(endpoint, node.parent)
        lives = {name: Life(secrets.randbits(63), 1, {})}
        twins = make_twins(tree.world, tree.roster, tree.settings, [name], lives)
        rhythm = tree.settings.rhythm
        self._host = LiveHost(
            tree.roster,
            twins,
            self._board,
            LivePool(self._board.send, 0),
            EpochClock(launcher.origin, rhythm.base_epoch_s),
            tree.settings.report_ms,
            {},
            self,
            launcher.origin,
        )
        self._host.start(self._clock.now())

    @property
    def live(self) -> bool:
        """Whether the gateway has a session with us."""
        parent = self._host.twins[self.name].parent
        return parent is not None and parent.live

    def run_until(self, end: int) -> None:
        """Turn the loop until `end` (ns since 1970)."""
        while (now := self._clock.now()) < end:
            due = min(self._host.next_ns(), end)
            self._board.turn(min(max(0.0, (due - now) / MILLISECOND), BEAT_MS))
            self._host.turn(self._clock.now())

    def run_for(self, seconds: float) -> None:
        """Turn the loop for some time."""
        self.run_until(self._clock.now() + int(seconds * 1e9))

    def close(self) -> None:
        """Say goodbye and release the sockets."""
        self._host.leave(self._clock.now())
        self._wire.close()

    # -- the physical side, as the loop sees it ------------------------------------------------------------------------
    def telemetry(self, until: int, epoch: int) -> Iterable[tuple[str, Sampled]]:
        """Measure, for the loop."""
        now = self._clock.now()
        for found in self._reader.read():
            rows = np.asarray(found.rows, dtype=np.uint32)
            values = np.asarray(found.values, dtype=np.float64)
            times = np.full(len(rows), now, dtype=np.int64)
            yield self.name, Sampled(rows, times, [attribute_id(found.attribute)], values[:, None])

    def turn(self, now: int, epoch: int) -> None:
        """A base epoch begins: nothing to do."""

    def actuate(self, now: int, epoch: int, wanted: Actuate) -> None:
        """Hand set-points on, for the loop."""
        self._reader.act(wanted)


def attribute_id(name: str) -> int:
    """Number of an attribute by name (``task_rate``); UnknownNameError with suggestions."""
    try:
        return int(A[name.upper()])
    except KeyError:
        known = [a.name.lower() for a in A]
        raise UnknownNameError(f"attribute: expected a known name, got {name!r}{suggest(name, known)}") from None
