"""Compiled core of tiertwin: graph, state tables, sync codec, allocation kernels and the plant.

Written by tests/support/make_stub.py; do not edit.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

_Reals: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]
_Rows: TypeAlias = NDArray[np.uint32]
_Numbers: TypeAlias = NDArray[np.uint64]
_Bools: TypeAlias = NDArray[np.bool_]
_Signed: TypeAlias = NDArray[np.int32]
_Codes: TypeAlias = NDArray[np.uint8]
_Marks: TypeAlias = NDArray[np.int8]
# x[G, T], value, scale, use[J], own_load[K], own_price[K], quota_price[J], phi, gap, iterations
_Solved: TypeAlias = tuple[_Reals, float, float, _Reals, _Reals, _Reals, _Reals, float, float, int]
# epoch, basis_version, validity_ms, age_ms, echo, flags
_Lease: TypeAlias = tuple[int, int, int, int, int, int]
# attribute, type, base_time_ns, rows, dt_us or None, values
_Block: TypeAlias = tuple[int, str, int, _Rows, _Rows | None, _Reals | list[bytes]]
# attribute, type, rows or None for all, values
_SolverBlock: TypeAlias = tuple[int, str, _Rows | None, _Reals]
# attribute -> (rows, values)
_Cells: TypeAlias = dict[int, tuple[_Rows, _Reals]]
# site_ptr, id, time_ns, arrival_ns, values[n, width]
_Reports: TypeAlias = tuple[_Ints, _Ints, _Ints, _Ints, _Reals]

class CoreError(RuntimeError): ...
class CoreValueError(ValueError): ...
class CoreKeyError(KeyError): ...

class CoreRefusedError(RuntimeError):
    reason: int
    at: int

class Graph:
    """Directed links in compressed rows; immutable."""

    def __init__(self, n_nodes: int, tail: _Ints, head: _Ints, weight: _Reals) -> None: ...
    def components(self, overlay: Overlay | None = None) -> tuple[int, _Ints]:
        """Number of connected components and the one of every node (-1: failed)."""

    def ecmp_loads(
        self,
        src: _Ints,
        dst: _Ints,
        volume: _Reals,
        overlay: Overlay | None = None,
        by_hops: bool = True,
        tolerance: float = 1e-12,
    ) -> _Reals:
        """Load of every link; a demand without a way is an error."""

    def ecmp_loads_and_lost(
        self,
        src: _Ints,
        dst: _Ints,
        volume: _Reals,
        overlay: Overlay | None = None,
        by_hops: bool = True,
        tolerance: float = 1e-12,
    ) -> tuple[_Reals, _Reals]:
        """Load of every link, and what each demand could not send."""

    def heads(self) -> _Ints:
        """Head node of every link."""

    def k_shortest(self, src: int, dst: int, k: int, overlay: Overlay | None = None) -> list[_Ints]:
        """The k shortest loopless paths, as link ids in order."""

    def partition(self, k: int, node_weight: _Reals, seed: int) -> _Ints:
        """Connected groups 0..k-1 of about equal weight."""

    def shortest_paths(self, source: int, overlay: Overlay | None = None) -> tuple[_Reals, _Ints]:
        """Distances from a node and the last link on the way (-1: none)."""

    def tails(self) -> _Ints:
        """Tail node of every link."""

    def weights(self) -> _Reals:
        """Weight of every link."""

    @property
    def link_count(self) -> int: ...
    @property
    def node_count(self) -> int: ...

class Overlay:
    """Failed links and nodes and weight multipliers over a graph."""

    def __init__(self, graph: Graph) -> None: ...
    def copy(self) -> Overlay:
        """An independent overlay of the same graph."""

    def fail_link(self, link: int) -> None:
        """Take a link away."""

    def fail_node(self, node: int) -> None:
        """Take a node and its links away."""

    def restore_link(self, link: int) -> None:
        """Undo fail_link; the multiplier stays."""

    def restore_node(self, node: int) -> None:
        """Undo fail_node."""

    def scale_weight(self, link: int, factor: float) -> None:
        """Multiply the weight of a link (again: multiplies again)."""

class PathFinder:
    """Paths between two nodes; keeps its working memory."""

    def __init__(self, graph: Graph) -> None: ...
    def shortest_path(self, src: int, dst: int, overlay: Overlay | None = None) -> tuple[float, _Ints]:
        """Length and links of a shortest path (infinite, none: no way)."""

class Folding:
    """A graph with its hanging trees folded away."""

    def __init__(self, graph: Graph) -> None: ...
    def shortest_paths(self, source: int, overlay: Overlay | None = None) -> tuple[_Reals, _Ints]:
        """As Graph.shortest_paths, without searching the folded part."""

    @property
    def core_count(self) -> int: ...

class RepairedPaths:
    """Shortest paths from one node, kept right through changes."""

    def __init__(self, graph: Graph, source: int, overlay: Overlay | None = None) -> None: ...
    def distance(self) -> _Reals:
        """Distance of every node."""

    def distances_to(self, nodes: _Ints) -> _Reals:
        """Distances of some nodes."""

    def update(self, overlay: Overlay, links: _Ints, nodes: _Ints) -> int:
        """Take in what changed; how many nodes have another distance."""

    def via_link(self) -> _Ints:
        """Last link on the way to every node (-1: none)."""

class Attribute:
    """One definition of a registry; read-only."""

    @property
    def deadband(self) -> float: ...
    @property
    def extension(self) -> bool: ...
    @property
    def high(self) -> float: ...
    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def max_age_ms(self) -> int: ...
    @property
    def merge(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def privacy(self) -> int: ...
    @property
    def resolution(self) -> float: ...
    @property
    def type(self) -> str: ...
    @property
    def unit(self) -> str: ...

class AttributeRegistry:
    """Definitions of attributes; additive."""

    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def add(
        self,
        id: int,
        name: str,
        unit: str,
        kind: str,
        type: str,
        merge: str,
        low: float,
        high: float,
        max_age_ms: int,
        deadband: float = 0.0,
        resolution: float = 0.0,
        privacy: int = 0,
        extension: bool = False,
    ) -> None:
        """Define an attribute; ids and names are taken once."""

    def fingerprint(self) -> int:
        """64-bit hash of all definitions but extensions."""

    @overload
    def get(self, id: int) -> Attribute:
        """Definition by id."""

    @overload
    def get(self, name: str) -> Attribute:
        """Definition by name."""

    def ids(self) -> list[int]:
        """Ids, ascending."""

    def names(self) -> list[str]:
        """Names in the order of ids()."""

class StateTable:
    """Rows x attributes in blocks shared with forks; one thread owns it."""

    def __deepcopy__(self, memo: dict[str, Any]) -> StateTable: ...
    def __init__(self, registry: AttributeRegistry, table_id: int, attributes: Sequence[int], rows: int) -> None: ...
    def add_opaque(self, attribute: int, type: str) -> None:
        """Make room for an unknown attribute that is passed on."""

    def attribute(self, attribute: int) -> Attribute:
        """Its definition; of an unknown attribute what the wire told: its type."""

    def column(self, attribute: int) -> _Reals:
        """Values, f64[rows], read-only: a view up to 128 rows, else a copy; NaN where unwritten."""

    def digest(self) -> int:
        """Sum of cell hashes modulo 2^64 (R14); pending cells count as last sent."""

    def equal(self, other: StateTable) -> bool:
        """Same table id, rows and cells; numbers may differ."""

    def fingerprint(self) -> int:
        """64-bit hash of table id, rows and schema; in every frame."""

    def fork(self) -> StateTable:
        """A table of its own that shares blocks until one side writes."""

    def get_bytes(self, attribute: int, row: int) -> bytes | None:
        """A bytes cell, or None where unwritten."""

    def numbers(self, attribute: int) -> _Numbers:
        """Stream numbers, u64[rows], read-only; 0 where not numbered."""

    def oldest(self, attribute: int, after_ns: int) -> int:
        """Earliest sample time later than `after_ns`, ns; -2^63: there is none."""

    def opaque(self) -> list[int]:
        """Ids of unknown attributes carried along."""

    def put(self, attribute: int, row: int, value: float, time_ns: int) -> None:
        """Write one cell locally; until it is encoded, a later write to it replaces this one."""

    @overload
    def set(self, attribute: int, rows: _Rows, values: _Reals, time_ns: int, deadband: bool = False) -> int:
        """Write cells locally; they stay pending until encoded. Returns how many were written."""

    @overload
    def set(self, attribute: int, rows: _Rows, values: _Reals, times_ns: _Ints, deadband: bool = False) -> int:
        """The same with a time for each row."""

    def set_bytes(self, attribute: int, row: int, value: bytes, time_ns: int) -> None:
        """Write one bytes cell (at most 1024 bytes) locally."""

    def set_rows(self, attributes: Sequence[int], rows: _Rows, values: _Reals, times_ns: _Ints) -> int:
        """Write several attributes of the same rows, values f64[rows, attributes]; NaN is left out; all or nothing."""

    def settle(self, first: int) -> int:
        """Number all pending cells from `first` on, without a frame."""

    def times(self, attribute: int) -> _Ints:
        """Sample times, i64[rows] ns, read-only; -2^63 where unwritten."""

    @property
    def attributes(self) -> list[int]: ...
    @property
    def dirty_count(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def table_id(self) -> int: ...

class CellMap:
    """Cells on a map; immutable."""

    def __init__(
        self,
        *,
        model: Sequence[str],
        site: _Signed,
        x_m: _Reals,
        y_m: _Reals,
        height_m: _Reals,
        ghz: _Reals,
        bandwidth_hz: _Reals,
        power_dbm: _Reals,
        noise_figure_db: _Reals,
        azimuth_deg: _Reals,
        tilt_deg: _Reals,
        width_deg: _Reals,
        peak_dbi: _Reals,
        depth_db: _Reals,
        every_way: _Bools,
        rows: _Signed,
        columns: _Signed,
    ) -> None: ...
    def __len__(self) -> int: ...
    def candidates(self, x_m: float, y_m: float, most: int, carrier: int = -1) -> _Signed:
        """Cells of the masts that are strongest at a place in the median, strongest first."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north), m: where users may be."""

    @property
    def carrier(self) -> _Signed:
        """Number of the carrier of each cell; carriers by ascending frequency."""

class Links:
    """Received powers of users, kept for any loads; immutable."""

    def __init__(self, map: CellMap, gain_db: _Reals, cells: _Signed, serving: _Signed, beam_db: _Reals) -> None: ...
    def coupled_loads(
        self,
        demand_bps: _Reals,
        tolerance: float = 1e-09,
        most_iterations: int = 1000,
        efficiency: float = 0.7,
        cap: float = 7.4,
    ) -> dict[str, Any]:
        """Loads of the cells that carry these demands, each disturbing the others."""

    def sinr(self, load: _Reals) -> _Reals:
        """SINR of each user, dB; -inf without a serving cell."""

    @property
    def serving_cell(self) -> _Signed: ...

class HandoverTracker:
    """Which cell serves each user (TS 38.331 event A3, TR 36.839 failures and ping-pongs)."""

    def __init__(
        self,
        users: int,
        slots: int,
        *,
        hysteresis_db: float = 3.0,
        offset_db: float = 0.0,
        trigger_ms: float = 256.0,
        filter_k: float = 4.0,
        out_db: float = -8.0,
        in_db: float = -6.0,
        t310_ms: float = 1000.0,
        ping_pong_ms: float = 1000.0,
    ) -> None: ...
    def serving(self) -> _Signed:
        """Serving cell of each user, i32[users]; -1: none."""

    def step(self, time_ms: float, cells: _Signed, rsrp_dbm: _Reals, sinr_db: _Reals) -> dict[str, Any]:
        """One sample: cells i32[users, slots] (-1: none) with their levels, SINR of each serving cell f64[users];
        returns what moved: user, move (1 attach, 2 handover, 3 failure), from, to, ping_pong."""

    @property
    def time_ms(self) -> float: ...

class Leaf:
    """One data version of a leaf problem, solved many times. One thread owns it."""

    def __init__(
        self,
        demand: _Reals,
        weight: _Reals,
        alpha: _Reals,
        cost: _Reals,
        use_own: _Reals,
        capacity: _Reals,
        kappa: _Reals,
        use_quota: _Reals,
    ) -> None: ...
    def cut(self, quota_price: _Reals, own_price: _Reals) -> tuple[float, float]:
        """(phi, drift) at any prices: V(r) <= phi + price.r."""

    def greedy(self, quota: _Reals | None = None) -> _Reals:
        """A feasible plan without an optimiser (ladder step S6)."""

    def project(self, x: _Reals, quota: _Reals | None = None, tolerance: float = 1e-09) -> _Reals:
        """The nearest feasible plan (Euclidean, tasks/s)."""

    def refresh(self, x: _Reals) -> _Reals:
        """A plan of older data on these: rates kept, cut at the demand, growth to the device tier."""

    def repair(self, x: _Reals, quota: _Reals | None = None) -> _Reals:
        """A feasible plan near x: clip, scale down, overdraft to the device tier."""

    def solve_all(
        self, quotas: _Reals, prices: _Reals, iteration_limit: int = 80
    ) -> tuple[_Reals, _Reals, _Reals, _Reals, _Reals, _Reals]:
        """Many solves at once, quotas[n, J] then prices[m, J]: (x, use, own_load, own_price, quota_price, scalars[n
        + m, 4] = value, scale, phi, violation)."""

    def solve_price(self, price: _Reals, iteration_limit: int = 80) -> _Solved:
        """Best plan when quotas cost price[J]; `value` is without that cost. The same tuple as solve_quota."""

    def solve_quota(self, quota: _Reals, iteration_limit: int = 80) -> _Solved:
        """Best plan inside quota[J]: (x, value, scale, use, own_load, own_price, quota_price, phi, gap, iterations)."""

    def value(self, x: _Reals, quota: _Reals | None = None) -> tuple[float, float, _Reals, _Reals, float, int, int]:
        """Independent checker: (value, scale, use, own_load, violation, fault, index)."""

    def value_at_growth(self, x: _Reals, growth: float) -> float:
        """Value of the same rates when demands are (1 + growth) times as large."""

class FairShares:
    """Users, their options and what these use of shared resources (CSR)."""

    def __init__(
        self, user_offsets: _Ints, option_offsets: _Ints, resource: _Ints, use: _Reals, resources: int
    ) -> None: ...

class FairData:
    """Numbers of one instance of fair shares, checked and copied."""

    def __init__(
        self,
        shares: FairShares,
        demand: _Reals,
        weight: _Reals,
        alpha: _Reals,
        capacity: _Reals,
        cost: _Reals | None = None,
        delay: _Reals | None = None,
        floor_of: _Ints | None = None,
        floor: _Reals | None = None,
        penalty: _Reals | None = None,
    ) -> None: ...
    def bound(self, price: _Reals, floor_price: _Reals | None = None) -> float:
        """Upper bound on the value of every plan, from any prices of resources and floors."""

    def fit(self, x: _Reals) -> _Reals:
        """A feasible plan near x."""

    def most(self) -> _Reals:
        """Most each user could get; 0 for users that do not count."""

    def solve(
        self,
        start_x: _Reals | None = None,
        start_price: _Reals | None = None,
        start_floor_price: _Reals | None = None,
        iteration_limit: int = 100,
        tolerance: float = 0.001,
        stop: Callable[[], bool] | None = None,
        threads: int = 1,
    ) -> tuple[_Reals, _Reals, _Reals, float, float, float, int, _Reals, _Reals]:
        """Fair shares: (x, price, load, value, scale, bound, iterations, floor_price, shortfall)."""

    def value(self, x: _Reals) -> tuple[float, float, _Reals, float, int, int, _Reals]:
        """Independent checker: (value, scale, load, violation, fault, index, shortfall)."""

class Routing:
    """Demands, their paths and the links of these (CSR)."""

    def __init__(
        self, user_offsets: _Ints, option_offsets: _Ints, resource: _Ints, use: _Reals, resources: int
    ) -> None: ...
    def bound(self, price: _Reals, demand: _Reals, capacity: _Reals) -> float:
        """Lower bound on the utilisation of every split, from any prices."""

    def check(self, demand: _Reals, capacity: _Reals) -> None:
        """ValueError says which number is wrong, or which demand has no open path."""

    def fit(self, share: _Reals, demand: _Reals, capacity: _Reals) -> _Reals:
        """A split near these numbers."""

    def solve(
        self,
        demand: _Reals,
        capacity: _Reals,
        start_share: _Reals | None = None,
        start_price: _Reals | None = None,
        iteration_limit: int = 200,
        tolerance: float = 0.001,
        stop: Any | None = None,
    ) -> tuple[Any, ...]:
        """Least utilisation of the fullest link: (share, price, load, utilisation, bound, iterations, rounds,
        critical, groups, sweeps)."""

    def value(self, share: _Reals, demand: _Reals, capacity: _Reals) -> tuple[float, _Reals, float, int, int]:
        """Independent checker: (utilisation, load, violation, fault, index)."""

class Header:
    """The 40 bytes before every body; read-only."""

    @property
    def body_length(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def crc(self) -> int: ...
    @property
    def fingerprint(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def incarnation(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def table(self) -> int: ...
    @property
    def version(self) -> int: ...

class SnapshotStage:
    """Chunks on their way in; the tables change in commit() only."""

    def __init__(self, tables: Sequence[StateTable]) -> None: ...
    def add(self, frame: Buffer) -> bool:
        """Stage the expected chunk; True with the last one, whose digest agreed."""

    def commit(self, tables: Sequence[StateTable]) -> None:
        """Swap all staged tables in."""

    @property
    def as_of(self) -> int: ...
    @property
    def expected(self) -> int: ...
    @property
    def lease(self) -> _Lease | None: ...

class Session:
    """State towards one peer; moves by `apply` only."""

    def __init__(self) -> None: ...
    def apply(
        self,
        input: int,
        now_ns: int,
        *,
        first: int = 0,
        last: int = 0,
        stream: int = 0,
        incarnation: int = 0,
        term: int = 0,
        index: int = 0,
        count: int = 0,
        reason: int = 0,
        agree: bool = True,
        allowed: bool = True,
        echoed_at: int = -2305843009213693952,
    ) -> tuple[int, int]:
        """Move by one input; returns (row of the table, effects mask)."""

    def note_sent(self, last: int, now_ns: int) -> None:
        """Records up to `last` left."""

    def note_snapshot(self, number: int, now_ns: int) -> None:
        """A snapshot as of `number` left."""

    def unlisted(self, state: int, input: int) -> int:
        """How often no row named (state, input)."""

    @property
    def acked(self) -> int: ...
    @property
    def acked_at(self) -> int: ...
    @property
    def as_of(self) -> int: ...
    @property
    def attached(self) -> bool: ...
    @property
    def banned_until(self) -> int: ...
    @property
    def cursor(self) -> int: ...
    @property
    def failures(self) -> int: ...
    @property
    def heard_at(self) -> int: ...
    @property
    def incarnation(self) -> int: ...
    @property
    def log_first(self) -> int: ...
    @log_first.setter
    def log_first(self, value: int) -> None: ...
    @property
    def patience(self) -> int: ...
    @property
    def retry_at(self) -> int: ...
    @property
    def retry_every(self) -> int: ...
    @property
    def sent(self) -> int: ...
    @property
    def snapshot_out(self) -> bool: ...
    @property
    def srtt(self) -> int: ...
    @property
    def staged(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def stream(self) -> int: ...
    @property
    def suspect(self) -> bool: ...
    @property
    def term(self) -> int: ...
    @property
    def wait_at(self) -> int: ...
    @property
    def whole(self) -> bool: ...

class Lease:
    """A budget's lease, counted on our own clock; read-only."""

    @property
    def age_ms(self) -> int: ...
    @property
    def basis(self) -> int: ...
    @property
    def echo(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def term(self) -> int: ...
    @property
    def until_ns(self) -> int: ...
    @property
    def validity_ms(self) -> int: ...

class Unit:
    """Records of one unit table that take effect together; read-only."""

    @property
    def cells(self) -> _Cells: ...
    @property
    def lease(self) -> Lease | None: ...
    @property
    def table(self) -> int: ...
    @property
    def time_ns(self) -> int: ...

class Received:
    """What one call to a Peer led to; read-only."""

    def unit(self) -> _Cells | None:
        """Cells of the first unit: attribute -> (rows u32[n], values f64[n]), or None."""

    def units(self) -> list[Unit]:
        """Units that are complete with this call."""

    @property
    def accepted(self) -> bool: ...
    @property
    def at(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def events(self) -> list[int]: ...
    @property
    def kind(self) -> int: ...
    @property
    def lease(self) -> Lease | None: ...
    @property
    def quiet(self) -> bool:
        """Nothing but `reply` to see to: no events, no units."""

    @property
    def reason(self) -> int: ...
    @property
    def reply(self) -> list[bytes]: ...
    @property
    def table(self) -> int: ...

class Peer:
    """One neighbour: `for f in peer.connect(now): send(f)`; `r = peer.receive(frame, now)`, send r.reply, use
    r.units(); `publish(now)` each report; `tick(now)` at least every 50 ms."""

    snapshots_open: bool

    def __init__(
        self,
        registry: AttributeRegistry,
        *,
        is_child: bool,
        incarnation: int,
        stream_id: int,
        heartbeat_ms: int = 250,
        virtual_clock: bool = False,
        epoch: int = 0,
        term: int = 0,
        credit_frames: int = 64,
        credit_bytes: int = 4194304,
        snapshot_every_ms: int = 5000,
        max_frame_bytes: int = 262144,
        durable: bool = False,
        border: tuple[int, Sequence[int]] | None = None,
    ) -> None: ...
    def add_in(self, table: StateTable) -> None:
        """A sample table that this peer writes."""

    def add_out(self, table: StateTable) -> None:
        """A sample table that goes to this peer."""

    def add_unit_in(self, table_id: int, attributes: Sequence[int], rows: int) -> None:
        """A unit table that this peer writes."""

    def add_unit_out(self, table_id: int, attributes: Sequence[int], rows: int) -> None:
        """A unit table (cut, point, query, budget …) that goes to this peer."""

    def barrier(self, epoch: int, now_ns: int) -> list[bytes]:
        """[BARRIER] while attached (virtual clock only)."""

    def bye(self, reason: int, text: str, now_ns: int) -> list[bytes]:
        """End the session; [BYE]."""

    def connect(self, now_ns: int) -> list[bytes]:
        """Open a session (child): [HELLO]."""

    def counters(self) -> dict[str, int]:
        """Everything counted since the object was made, by name."""

    def heartbeat_sent_ns(self, counter: int) -> int:
        """When our heartbeat left; -1 unknown."""

    def logged(self, stream: int, durable: int, at_root: int, now_ns: int) -> list[Any]:
        """Our log has the child's stream on disk up to `durable`: an ACK, if that rose (parent)."""

    def lost(self, now_ns: int) -> Received:
        """The transport says that the peer is gone."""

    def number_pending(self) -> None:
        """Number what is pending though there is no session, so that a snapshot of the log can hold it (child)."""

    def peer_age(self, now_ns: int) -> int:
        """Age of the peer's oldest input, ms: as it said, plus the time since; 2^32 - 1 unknown."""

    def publish(self, now_ns: int) -> list[bytes]:
        """DELTAs of pending cells, as far as credit goes."""

    def receive(self, frame: Buffer, now_ns: int) -> Received:
        """Take one frame, read in place; never raises for what the peer sent."""

    def released(self, number: int, now_ns: int) -> list[Any]:
        """Our log has our stream on disk up to `number`: frames that may leave (child)."""

    def resume_in(self, stream: int, cursor: int) -> Received:
        """Go on with the child's stream behind `cursor`, its tables restored; .units() is what unit tables hold."""

    def resume_out(self, last: int, frames: Sequence[Buffer]) -> None:
        """Go on with our own stream behind `last`; frames that the parent may lack (child)."""

    def send_unit(
        self,
        table_id: int,
        attrs: _Ints,
        rows: _Rows,
        values: _Reals,
        time_ns: int,
        now_ns: int,
        lease: tuple[int, int, int, int, int] | None = None,
    ) -> list[bytes]:
        """Send a unit now, or hold it until session and credit allow."""

    def take_unlogged(self) -> list[Any]:
        """Own frames numbered since the last call; each goes into the log before anything else does (child)."""

    def tick(self, now_ns: int) -> Received:
        """Timers: heartbeat, ACK, retry, gap, silence, HELLO again."""

    @property
    def acked(self) -> int: ...
    @property
    def acknowledged_in_ns(self) -> int: ...
    @property
    def age_ms(self) -> int: ...
    @age_ms.setter
    def age_ms(self, value: int) -> None: ...
    @property
    def at_root_out(self) -> int:
        """What was acknowledged to us as applied at the root."""

    @property
    def attached(self) -> bool: ...
    @property
    def cursor(self) -> int: ...
    @property
    def durable(self) -> bool: ...
    @property
    def durable_in(self) -> int:
        """What we acknowledge as durable of the child's stream."""

    @property
    def durable_out(self) -> int:
        """What was acknowledged to us as durable."""

    @property
    def epoch(self) -> int: ...
    @epoch.setter
    def epoch(self, value: int) -> None: ...
    @property
    def health(self) -> int: ...
    @health.setter
    def health(self, value: int) -> None: ...
    @property
    def heard_ns(self) -> int: ...
    @property
    def held_units(self) -> int: ...
    @property
    def in_digest(self) -> int: ...
    @property
    def in_tables(self) -> list[Any]:
        """All tables that the peer writes, unit tables included."""

    @property
    def incarnation(self) -> int: ...
    @property
    def is_child(self) -> bool: ...
    @property
    def last(self) -> int: ...
    @property
    def next_ns(self) -> int: ...
    @property
    def out_digest(self) -> int: ...
    @property
    def out_tables(self) -> list[Any]:
        """All tables that go to the peer, unit tables included."""

    @property
    def outdone(self) -> bool:
        """The parent has numbers of our stream that our log has lost."""

    @property
    def patience_ns(self) -> int: ...
    @property
    def peer_age_ms(self) -> int: ...
    @property
    def peer_counter(self) -> int: ...
    @property
    def peer_epoch(self) -> int: ...
    @property
    def peer_health(self) -> int: ...
    @property
    def peer_incarnation(self) -> int: ...
    @property
    def peer_stream_id(self) -> int: ...
    @property
    def peer_term(self) -> int: ...
    @property
    def rtt_ns(self) -> int: ...
    @property
    def sent(self) -> int: ...
    @property
    def settled(self) -> int:
        """Own records up to here need no log any more."""

    @property
    def snapshot_active(self) -> bool: ...
    @property
    def snapshots(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def stream_id(self) -> int: ...
    @property
    def suspect(self) -> bool: ...
    @property
    def term(self) -> int: ...

class LogEnd:
    """Where a log goes on: what recovery hands to a writer. Read-only."""

    def cursor(self, peer: int) -> int:
        """Highest number of this peer's stream in the log; of peer 0: last own number."""

    def stream_of(self, peer: int) -> int:
        """Stream id of a peer; 0: nobody named it."""

    @property
    def bytes(self) -> int: ...
    @property
    def chain(self) -> int: ...
    @property
    def drained(self) -> int: ...
    @property
    def next_number(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def peers(self) -> list[int]: ...
    @property
    def position(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def spilled(self) -> int: ...
    @property
    def stream(self) -> int: ...

class LogGroup:
    """Bytes to be written and synced together; a read-only buffer."""

    def __len__(self) -> int: ...
    def view(self) -> memoryview:
        """The bytes, read-only."""

    @property
    def last_position(self) -> int: ...
    @property
    def pieces(self) -> list[tuple[int, int, int, int, int]]:
        """(segment, offset, begin, size, bytes of the file it creates or 0) in the order of writing."""

    @property
    def records(self) -> int: ...

class LogWriter:
    """Records into groups of bytes, and what of them is durable. No I/O."""

    def __init__(
        self, node: str, stream: int, salt: int, end: LogEnd | None = None, segment_bytes: int = 16777216
    ) -> None: ...
    def append(self, peer: int, frame: Buffer, *, event: bool = False, from_spill: bool = False) -> int:
        """Put a sealed frame into the open group; its position, from 1."""

    def durable_cursor(self, peer: int) -> int:
        """What an ACK may call durable of this peer's stream; of peer 0: last durable own number."""

    def mark(self) -> None:
        """Say that all before is synced, if nothing else is in the open group."""

    def snapshot(self, acked: int, frames: Sequence[tuple[int, bytes]]) -> bytes:
        """A snapshot file of all that was appended, of (peer, SNAPSHOT frame); for when `durable` has come so far."""

    def synced(self) -> None:
        """The group in flight is durable."""

    def take(self) -> LogGroup:
        """Close the open group; it is in flight until `synced`."""

    @property
    def appended(self) -> int: ...
    @property
    def durable(self) -> int: ...
    @property
    def durable_drained(self) -> int: ...
    @property
    def durable_peers(self) -> list[tuple[int, int, int]]:
        """(peer, stream, durable cursor) of all peers with a stream."""

    @property
    def end(self) -> LogEnd:
        """With all that was appended."""

    @property
    def in_flight(self) -> bool: ...
    @property
    def open_bytes(self) -> int: ...
    @property
    def open_records(self) -> int: ...
    @property
    def segments(self) -> list[tuple[int, int, int, int]]:
        """(sequence, position, next_number, spilled) of those it began."""

class LogRecovery:
    """What to load, where to go on, what to refuse. Read-only."""

    def frames(self, segments: Sequence[Buffer]) -> list[tuple[int, bytes]]:
        """All frames behind the snapshot: (peer, frame) each, in their order."""

    def replay(
        self, peer: int, tables: Sequence[StateTable], segments: Sequence[Buffer], snapshot: Buffer | None = None
    ) -> tuple[int, int, int]:
        """Bring the tables of a peer's stream up to the log: (cursor, cells applied, frames of other tables)."""

    def unacked(self, segments: Sequence[Buffer]) -> list[tuple[int, bytes]]:
        """Own frames that the parent has not made durable: (0, frame) each."""

    def waiting(self, segments: Sequence[Buffer]) -> list[tuple[int, bytes]]:
        """Spilled events that have no number yet: (0, frame) each."""

    @property
    def acked(self) -> int: ...
    @property
    def action(self) -> str: ...
    @property
    def culprit(self) -> int: ...
    @property
    def dirty_end(self) -> int: ...
    @property
    def end(self) -> LogEnd: ...
    @property
    def last_group(self) -> int: ...
    @property
    def last_segment(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def segments(self) -> list[tuple[str, int]]: ...
    @property
    def snapshot(self) -> int: ...
    @property
    def snapshots(self) -> list[tuple[str, int]]: ...
    @property
    def why(self) -> str: ...

class Partition:
    """Member row -> group row (-1: none); immutable."""

    def __deepcopy__(self, memo: dict[str, Any]) -> Partition: ...
    def __init__(self, group_of: _Ints, groups: int) -> None: ...
    def groups_of(self, rows: _Rows) -> _Rows:
        """Groups of these rows, u32, ascending, each once."""

    def members(self, group: int) -> _Rows:
        """Rows of a group, u32, ascending."""

    @property
    def groups(self) -> int: ...
    @property
    def rows(self) -> int: ...

class SummaryPlan:
    """What to merge: (source, rule, target) a line; grows by add()."""

    def __deepcopy__(self, memo: dict[str, Any]) -> SummaryPlan: ...
    def __init__(self, lines: Sequence[tuple[int, str, int]] = []) -> None: ...
    def __len__(self) -> int: ...
    def add(
        self,
        source: int,
        rule: str,
        target: int,
        *,
        partial: bool = False,
        weight: int | None = None,
        low: float = 0.0,
        high: float = 0.0,
    ) -> int:
        """Add a line; returns how many attributes it owns from `target` on. `partial`: the source is a summary too."""

class LogBuckets:
    """Buckets of a log histogram over a fixed range; 1 % relative error."""

    def __init__(self, low: float, high: float) -> None: ...
    def index(self, x: float) -> int:
        """Bucket of x."""

    def quantile(self, counts: _Reals, q: float) -> float:
        """Quantile q in 0 … 1 (nearest rank); NaN without counts."""

    def value(self, bucket: int) -> float:
        """What a bucket answers with."""

    @property
    def count(self) -> int: ...

class Teller:
    """Tells cells of one table in another, worthiest first, within a budget of bytes."""

    def __copy__(self) -> Teller: ...
    def __deepcopy__(self, memo: dict[str, Any]) -> Teller: ...
    def __init__(
        self, attribute: _Ints, source: _Rows, target: _Rows, band: _Reals, share: _Reals, prior: _Reals
    ) -> None:
        """A cell moves when it differs from what was told, or its prior, by more than band + share*|told|."""

    def __len__(self) -> int: ...
    def tell(
        self, source: StateTable, target: StateTable, budget: float, price: float = 0.0
    ) -> tuple[int, int, float, float]:
        """(cells told, cells left waiting, bytes and worth of the told)."""

    def want(self, worth: _Reals) -> None:
        """What the square of an error of each cell costs the listener, >= 0; 0: not wanted."""

    @property
    def wanted(self) -> _Reals:
        """Worths, one a cell."""

class ChangeWatch:
    """Residuals of zones beside the leading components of their past."""

    def __deepcopy__(self, memo: dict[str, Any]) -> ChangeWatch: ...
    def __init__(
        self,
        zones: int,
        attributes: int,
        window: int,
        *,
        share: float = 0.9,
        quantile: float = 0.99,
        every: int = 10,
        delay: int = 0,
    ) -> None: ...
    def components(self, zone: int) -> int:
        """Components of the model in force; 0: none yet."""

    def push(self, values: _Reals) -> tuple[_Reals, _Reals]:
        """One sample (zones, attributes); returns the residual and threshold of each zone."""

    @property
    def attributes(self) -> int: ...
    @property
    def zones(self) -> int: ...

class Worth:
    """The last samples of zones' attributes and targets, and what the former are worth."""

    def __deepcopy__(self, memo: dict[str, Any]) -> Worth: ...
    def __init__(
        self,
        zones: int,
        attributes: int,
        targets: int,
        window: int,
        *,
        sliding: bool = False,
        m: int = 2,
        r: float = 0.2,
        lags: int = 5,
        order: int = 3,
        least: int = 16,
        level: float = 0.01,
        weights: Sequence[float] = [1.0, 1.0, 0.5],
        form: str = "quotient",
    ) -> None: ...
    def push(self, values: _Reals, targets: _Reals) -> None:
        """One sample of all zones; NaN: not seen."""

    def score(self, zones: _Ints | None = None) -> dict[str, Any]:
        """Scores of these zones, or of all."""

    @property
    def attributes(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def targets(self) -> int: ...
    @property
    def window(self) -> int: ...
    @property
    def zones(self) -> int: ...

class ProfileOptions:
    def __init__(self, *, period_s: float, slots: int, gain: float, visits: int, value: bool, mean: bool) -> None: ...

class StreamWatch:
    def __init__(
        self,
        series: int,
        *,
        gains: Sequence[float],
        profiles: Sequence[ProfileOptions],
        short_gain: float,
        scale_gain: float,
        tail: Sequence[float],
        pattern: Sequence[int],
        level: float,
        cap: float,
        warm: int,
        recur: Sequence[float],
        recur_slots: int,
        hold: int,
        gap: int,
        least: float,
        again: float,
    ) -> None: ...
    def memory_bytes(self) -> int: ...
    def push(self, values: _Reals, times_s: _Reals) -> tuple[_Reals, _Reals]:
        """Score and alarm of rows × series."""

    @property
    def series(self) -> int: ...

class ShiftWatch:
    def __init__(
        self, attributes: int, *, clean: int, mean: int, gain: float, quantile: float, factor: float
    ) -> None: ...
    def limit(self, attribute: int) -> float: ...
    def memory_bytes(self) -> int: ...
    def push(self, values: _Reals) -> _Reals:
        """z of rows × attributes."""

    @property
    def attributes(self) -> int: ...

class SubspaceWatch:
    def __init__(self, attributes: int, *, clean: int, mean: int, share: float, quantile: float) -> None: ...
    def memory_bytes(self) -> int: ...
    def push(self, values: _Reals) -> tuple[_Reals, _Reals]:
        """T² and Q over their limits, one a row."""

    @property
    def attributes(self) -> int: ...
    @property
    def components(self) -> int: ...

class ChangePoints:
    def __init__(self, series: int, *, expected: float, most: int, warm: int, delay: int) -> None: ...
    def memory_bytes(self) -> int: ...
    def push(self, values: _Reals) -> tuple[_Reals, _Ints]:
        """P(change within the last `delay` values) and most probable run length."""

    @property
    def series(self) -> int: ...

class IncidentLog:
    def __init__(
        self, objects: int, causes: int, start: _Ints, related: _Ints, *, window_ns: int, keep: int
    ) -> None: ...
    def advance(self, now_ns: int) -> None:
        """Close what has been quiet by now."""

    def memory_bytes(self) -> int: ...
    def open(self) -> dict[str, Any]:
        """Alarms of the open incidents."""

    def push(self, time_ns: _Ints, object: _Ints, cause: _Ints, severity: _Ints) -> None:
        """Take events in order of time; severity 0 clears."""

    def take(self) -> dict[str, Any]:
        """Alarms of incidents closed since."""

    def totals(self) -> dict[str, Any]: ...

class LieWatch:
    def __deepcopy__(self, memo: dict[str, Any]) -> LieWatch: ...
    def __init__(
        self,
        children: int,
        *,
        decays: Sequence[float],
        spread: float,
        slack: float,
        slack_rate: float,
        noise: float,
        repeat: float,
        forget: float,
        common: float,
        limit: float,
        calm: float,
        most_share: float,
        prints: int,
        warm: int,
        hold: int,
    ) -> None: ...
    def evidence(self) -> _Reals:
        """Nats against each child."""

    def fork(self) -> LieWatch:
        """A copy that goes on by itself."""

    def memory_bytes(self) -> int: ...
    def push(
        self,
        fresh: _Bools,
        made: _Reals,
        done: _Reals,
        missed: _Reals,
        least: _Reals,
        most: _Reals,
        bounds: _Reals,
        measured: _Reals,
    ) -> int:
        """Take the reports that came; returns how many children went into or out of quarantine."""

    def quarantine(self) -> _Marks:
        """Why each child is in quarantine; 0: it is not."""

    def reason(self) -> _Marks:
        """Code of the evidence's reason."""

    @property
    def children(self) -> int: ...
    @property
    def repeating(self) -> float: ...
    @property
    def suspected(self) -> float: ...

class PerformanceModel:
    """Delays, tails and losses of packets over given paths; immutable."""

    def __init__(self, links: int, path_ptr: _Ints, path_links: _Ints) -> None:
        """Paths of all flows; raises ValueError."""

    def calibrate(
        self,
        traffic: dict[str, Any],
        coefficients: _Reals,
        log_factor: _Reals,
        variance: _Reals,
        window: dict[str, Any],
        forget: float,
        prior: float,
    ) -> tuple[_Reals, _Reals]:
        """The state (log_factor, variance) after a window of telemetry."""

    def predict(
        self, traffic: dict[str, Any], coefficients: _Reals, log_factor: _Reals, variance: _Reals, z: float
    ) -> dict[str, NDArray[Any]]:
        """One evaluation of the network: arrays by flow, link and hop."""

class Cables:
    """A graph with directions ignored: cables of one or more links."""

    def __init__(self, graph: Graph, cable: _Ints | None = None) -> None: ...
    def of_links(self) -> _Ints:
        """The cable of every link."""

    def single_failures(
        self, roots: _Ints, weights: _Reals, overlay: Overlay | None = None
    ) -> tuple[_Reals, _Reals, _Reals]:
        """Weights cut off from all roots by each cable, by each node, and already."""

    @property
    def count(self) -> int: ...

class FailureCore:
    """What may fail in a network, the rest folded into it: sweeps over failures."""

    def __init__(
        self,
        cables: Cables,
        roots: _Ints,
        weights: _Reals,
        at_cables: _Ints,
        at_nodes: _Ints,
        overlay: Overlay | None = None,
    ) -> None: ...
    def pairs(self, first: int = 0, last: int | None = None) -> _Reals:
        """Weights cut off when elements (cables, then nodes) first..last-1 fail together with each element."""

    def scenarios(self, start: _Ints, element: _Ints) -> _Reals:
        """Weights cut off when the elements element[start[s]:start[s+1]] fail together."""

    @property
    def element_count(self) -> int: ...
    @property
    def node_count(self) -> int: ...

class WhatIf:
    """What a twin expects of its domain in situations; immutable."""

    def __init__(self, belief: dict[str, Any]) -> None:
        """A belief (cpp/whatif/belief.hpp); raises ValueError."""

    def enter(self, start: _Ints, change: _Ints, part: _Ints, other: _Ints, value: _Reals) -> dict[str, Any]:
        """What one situation leaves of the domain, as arrays."""

    def judge(self, start: _Ints, change: _Ints, part: _Ints, other: _Ints, value: _Reals, plan: _Reals) -> _Reals:
        """KPIs [16] of one situation under a plan [D * G * 4], tasks/s."""

    def sweep(
        self, start: _Ints, change: _Ints, part: _Ints, other: _Ints, value: _Reals, replan: int, threads: int = 1
    ) -> _Reals:
        """KPIs [situations, 16]; changes start[s]:start[s+1] belong to situation s (cpp/whatif/situation.hpp)."""

class GrowingFactor:
    """A Gaussian process in time over many series, a sample at a time."""

    def __init__(self, series: int, same: _Reals, other: _Reals, noise: float) -> None: ...
    def ahead(self, slots: _Ints, kinds: _Ints) -> tuple[_Reals, _Reals]:
        """Mean [slots, series] and variance [slots]."""

    def append(self, slot: int, kind: int, values: _Reals) -> None:
        """Take one sample of all series."""

    @property
    def samples(self) -> int: ...

class DoubleSeason:
    """Exponential smoothing with a daily and a weekly cycle, many series."""

    def __init__(self, series: int, day: int, week: int) -> None: ...
    def ahead(self, steps: int) -> _Reals:
        """Forecasts [series, steps]."""

    def follow(self, history: _Reals, gains: _Reals) -> _Reals:
        """Begin anew; mean square of one-step errors [series]."""

    def update(self, values: _Reals) -> None: ...

class ScoreBook:
    """Weighted conformal bounds of a series from what forecasts missed."""

    def __init__(
        self, series: int, memory: int, level: float, decay: float = 1.0, gain: float = 0.0, shared: float = 0.0
    ) -> None: ...
    def bounds(self) -> tuple[_Reals, _Reals]:
        """Lower and upper score, each [series]."""

    def push(self, scores: _Reals) -> None: ...
    @property
    def miss_rate(self) -> _Reals: ...

class Influences:
    """A noisy-OR model: causes by observations."""

    def __init__(self, start: _Ints, observation: _Ints, q: _Reals, leak: _Reals, prior: _Reals) -> None: ...
    @property
    def cause_count(self) -> int: ...
    @property
    def observation_count(self) -> int: ...
    @property
    def size(self) -> int: ...

class Evidence:
    """What was observed of a noisy-OR model so far."""

    def __init__(self, model: Influences) -> None: ...
    def forget(self) -> None:
        """Every observation is missing again."""

    def gains(self) -> _Reals:
        """Log-odds of each cause alone against none."""

    def observe(self, observation: _Ints, state: _Signed) -> None:
        """Set states of observations: 1 alarm, 0 silent, -1 missing."""

    def posterior(
        self, cutoff: float = 25.0, shortlist: int = 12, work: float = 20000000.0
    ) -> tuple[_Reals, _Ints, float, bool, int]:
        """Probability of each cause, the best set, ln of its posterior, whether the sum is complete, parts."""

    def states(self) -> _Signed:
        """State of every observation."""

class Plant:
    """Discrete-event simulator of tasks over radio, links and servers. One thread owns it."""

    def __init__(self, seed: int, config: dict[str, Any]) -> None:
        """Fields of cpp/plant/config.hpp by name, all of them; raises TypeError or ValueError."""

    def enable_access(
        self, config: dict[str, Any], zones: Sequence[tuple[dict[str, Any], Sequence[Sequence[float]]]]
    ) -> None:
        """Make devices the users of a radio access network; before anything happened (cpp/plant/plant_users.hpp)."""

    def enable_faults(self) -> None:
        """Let faults be injected and counters be reported; before anything happened (cpp/plant/faults.hpp)."""

    def enable_sleep(self, config: dict[str, Any]) -> None:
        """Count energy of base stations and let them sleep; before anything happened (cpp/plant/sleep.hpp)."""

    def enable_wear(self, config: dict[str, Any]) -> None:
        """Let parts fail, wear and be repaired; before anything happened (cpp/plant/wear.hpp)."""

    def enable_weather(self, config: dict[str, Any]) -> None:
        """Let rain slow microwave links; before anything happened (cpp/plant/weather.hpp)."""

    def fail_link(self, link: int) -> None:
        """Take a directed link down; the tasks on it are lost."""

    def fail_server(self, server: int) -> None:
        """Take a server down; the tasks in it are lost."""

    def lead(self, users: _Ints, places: _Reals) -> None:
        """Put led users somewhere: x, y, z [k, 3], m."""

    def repair_link(self, link: int) -> None:
        """Bring a directed link back."""

    def repair_server(self, server: int) -> None:
        """Bring a server back."""

    def run_until(self, time_ns: int) -> None:
        """Everything that happens up to and including `time_ns`."""

    def set_background(self, mbps: _Reals) -> None:
        """Background of each directed link, Mb/s, from now on; cut at 99 % of the capacity."""

    def set_cell_sleep(self, after_ms: int) -> None:
        """Idle for so long, cells sleep; 0: never."""

    def set_cells_down(self, cells: _Ints, down: bool) -> None:
        """Fail or repair cells, from the next step on."""

    def set_group_shares(self, group: _Ints, shares: _Reals) -> None:
        """Share of each tier for whoever is in each group (k x 4), from now on."""

    def set_link_fault(self, link: int, down: bool, capacity: float, loss: float) -> None:
        """What ails a directed link from now on: down, share of its capacity, share lost over it."""

    def set_load(self, multiplier: _Reals) -> None:
        """Factor on the task rates of each site, from now on."""

    def set_routes(self, site_ptr: _Ints, site_links: _Ints, fog_ptr: _Ints, fog_links: _Ints) -> None:
        """Routes for the tasks that set out from now on."""

    def set_server_fault(self, server: int, down: bool, speed: float) -> None:
        """What ails a server from now on: down, share of its speed."""

    def set_shares(self, device: _Ints, shares: _Reals) -> None:
        """Share of each tier for each device (k x 4), from now on."""

    def set_site_fault(self, site: int, silent: bool, deaf: bool) -> None:
        """What ails a site from now on: nothing there is heard; its cells take nothing (without radio access)."""

    def set_site_shares(self, site: int, cpu: _Reals, uplink: _Reals) -> None:
        """Grants to the classes of a site: GHz at its edge, fog and cloud server, Mb/s to the fog and beyond it."""

    def take_counters(self, until_ns: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Counters arrived by then: links' frames, bad frames, tasks lost; servers' least and mean response, tasks."""

    def take_kpis(self) -> dict[str, Any]:
        """Counts and sums since the last call, as a dictionary of arrays."""

    def take_sensors(self, until_ns: int) -> tuple[_Reports, _Reports, _Reports, _Reports]:
        """Sensor reports arrived by then: of links and servers that wear, of microwave links, of base stations."""

    def take_telemetry(self, until_ns: int) -> tuple[_Reports, _Reports, _Reports]:
        """Reports arrived by then: for devices (or groups), servers, links (site_ptr, id, time_ns, arrival_ns,
        values)."""

    def truth_background_mbps(self) -> _Reals:
        """Background by link."""

    def truth_cells(self) -> dict[str, Any]:
        """What is hidden of cells, and their loads."""

    def truth_clock_offset_ns(self) -> _Ints:
        """Clock offsets."""

    def truth_device_groups(self) -> _Ints:
        """Group of each device."""

    def truth_device_rates(self) -> _Reals:
        """Mean task rates, tasks/s."""

    def truth_device_sites(self) -> _Ints:
        """Site where each device is at home."""

    def truth_packets(self) -> dict[str, _Ints]:
        """What every batch of packets met, if records are kept; received -1: lost."""

    def truth_queue_tasks(self) -> _Ints:
        """Tasks in each own CPU."""

    def truth_radio_mbps(self) -> _Reals:
        """Uplink rates, Mb/s."""

    def truth_reports_dropped(self) -> int:
        """Sensor and weather reports dropped because nobody took them."""

    def truth_users(self) -> dict[str, Any]:
        """Where users are, what they hear, how well."""

    def truth_wear(self) -> tuple[_Reals, _Reals, _Reals]:
        """Wear X, up (0 or 1) and failures so far of each part."""

    def truth_weather(self) -> tuple[_Reals, _Reals]:
        """Rain loss, dB, and bits a symbol of each microwave link."""

    @property
    def now_ns(self) -> int:
        """Time of the plant, ns."""

class RainField:
    """Cells of rain over a plane; time moves forward (cpp/plant/rain_field.hpp)."""

    def __init__(self, seed: int, config: dict[str, Any]) -> None:
        """All fields; raises TypeError or ValueError."""

    def advance(self, time_ns: int) -> None:
        """Move to a time that is not before the last one."""

    def losses(self, x0: _Reals, y0: _Reals, x1: _Reals, y1: _Reals, k: _Reals, alpha: _Reals) -> _Reals:
        """Losses of straight paths, dB: integral of k R^alpha over the length in km."""

    def rates(self, x_km: _Reals, y_km: _Reals) -> _Reals:
        """Rain rates, mm/h."""

    @property
    def cells(self) -> int:
        """Cells that rain now."""

class Mobility:
    """Users that move: 0 still, 1 Gauss-Markov, 2 waypoint, 3 Manhattan, 4 train, 5 UAV."""

    def __init__(
        self, seed: int, walks: _Codes, train: _Rows, track: Sequence[Sequence[float]] = [], rules: dict[str, Any] = {}
    ) -> None: ...
    def positions(self) -> _Reals:
        """f64[users, 3], m."""

    def step(self, seconds: float) -> None:
        """Move everybody on."""

    def velocities(self) -> _Reals:
        """f64[users, 3], m/s."""

    @property
    def time_s(self) -> float: ...

class PacketNetwork:
    """Packets over given paths through first in first out links. One thread owns it."""

    def __init__(self, seed: int, config: dict[str, Any]) -> None:
        """Fields of cpp/plant/packet_config.hpp by name, all of them; raises TypeError or ValueError."""

    def flows(self) -> dict[str, NDArray[Any]]:
        """Counts and sums by flow, as a dictionary of arrays."""

    def links(self) -> dict[str, _Ints]:
        """Counts by link, as a dictionary of arrays."""

    def packets(self) -> dict[str, _Ints]:
        """The packets kept, in order of birth; delay -1: lost, -2: under way."""

    def quantiles(self, q: _Reals) -> _Ints:
        """Delay in ns that a share q of a flow's packets does not exceed (flows x q), within 0.4 %; -1: no packets."""

    def run_to_end(self) -> None:
        """Until the sources have ended and no packet is under way."""

    def run_until(self, time_ns: int) -> None:
        """Everything that happens up to and including `time_ns`."""

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""

    @property
    def now_ns(self) -> int:
        """Time of the network, ns."""

    @property
    def packet_hops(self) -> int:
        """Transmissions begun since the start."""

    @property
    def under_way(self) -> int:
        """Packets neither received nor lost."""

class AccessNetwork:
    """Users that move, attach, hand over and share blocks, packet by packet. One thread owns it."""

    def __init__(
        self, seed: int, config: dict[str, Any], zones: Sequence[tuple[dict[str, Any], Sequence[Sequence[float]]]]
    ) -> None:
        """Fields of cpp/plant/access_config.hpp by name, all of them; rules and track of each zone."""

    def lead(self, users: _Ints, places: _Reals) -> None:
        """Put led users somewhere: x, y, z [k, 3], m."""

    def run_until(self, time_ns: int) -> None:
        """Everything that happens before `time_ns`."""

    def set_down(self, cells: _Ints, down: bool) -> None:
        """Fail or repair cells, from the next step on."""

    def set_sleep(self, after_ms: int) -> None:
        """Idle for so long, cells sleep; 0: never."""

    def take_cell_reports(self, until_ns: int) -> _Reports:
        """Reports of cells that arrived by then."""

    def take_kpis(self, q: _Reals) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]], int]:
        """Books since the last call: by class and direction, by cell, under way."""

    def take_user_reports(self, until_ns: int) -> _Reports:
        """Reports of users that arrived by then."""

    def truth_cells(self) -> dict[str, Any]:
        """What is hidden of cells, and their loads."""

    def truth_packets(self) -> dict[str, _Ints]:
        """What every batch of packets met, if records are kept; received -1: lost."""

    def truth_users(self) -> dict[str, Any]:
        """Where users are, what they hear, how well."""

    @property
    def now_ns(self) -> int:
        """Time of the network, ns."""

def adjust_p_values(p: _Reals) -> _Reals:
    """Benjamini-Hochberg; NaN: no test."""

def array_gain(rows: int, columns: int, azimuth_error_deg: _Reals, elevation_error_deg: _Reals) -> _Reals:
    """Gain of a half-wavelength array over one element, dB, when it points off its target; -30 dB at least."""

def ascend_power(
    cell: _Ints,
    weight: _Reals,
    start: _Reals,
    gain: _Reals,
    power_least: _Reals,
    power_most: _Reals,
    bandwidth: _Reals,
    activity: _Reals,
    outside: _Reals,
    noise: float,
    efficiency: float,
    cap: float,
    iteration_limit: int,
    tolerance: float,
) -> tuple[_Reals, float, float, int]:
    """Best powers for given cells: (power, value, gap, iterations)."""

def backhaul_needed_snr(bits: int) -> float:
    """SNR that a step needs, dB."""

def backhaul_step(bits: _Ints, snr_db: _Reals, top: int, hysteresis_db: float) -> _Ints:
    """Next step of adaptive modulation, bits a symbol; 0: outage (cpp/radio/backhaul.hpp)."""

def base_station_power(kind: str, load: _Reals) -> _Reals:
    """Power of an awake station by load 0..1, W (EARTH)."""

def base_station_sleeping_power(kind: str) -> float:
    """Power of a station asleep, W (EARTH)."""

def betweenness(graph: Graph, pivots: _Ints | None = None, overlay: Overlay | None = None) -> tuple[_Reals, _Reals]:
    """Shortest ways through every node and link (exact, or scaled up from pivots)."""

def breakpoint_distance(
    model: str, base_height_m: _Reals, user_height_m: _Reals, ghz: _Reals, effective_height_m: _Reals
) -> _Reals:
    """Where the slope changes, m along the ground; infinity: nowhere."""

def building_wall_loss(ghz: _Reals, high_loss: bool) -> _Reals:
    """Median loss from outside through a wall, dB (TR 38.901 table 7.4.3-2); 0.5 dB a metre behind it come on
    top."""

def carry(
    source: StateTable, target: StateTable, attributes: Sequence[int], source_rows: _Rows, target_rows: _Rows
) -> int:
    """Copy cells that are finite and later than those in the target's rows; returns the cells written."""

def check_options(user_offsets: _Ints, option_offsets: _Ints, resource: _Ints, use: _Reals, resources: int) -> None:
    """Check a structure; ValueError says what is wrong with which entry."""

def cqi_efficiency(cqi: _Signed) -> _Reals:
    """bit/s/Hz of CQI 0 to 15."""

def cqi_of(sinr_db: _Reals) -> _Signed:
    """4-bit CQI (TS 38.214 table 5.2.2.1-3) by SINR thresholds of 75 % of Shannon."""

def cqi_threshold(cqi: int) -> float:
    """Least SINR of CQI 1 to 15, dB."""

def crc32c(data: Buffer, crc: int = 0) -> int:
    """CRC-32C, by the CPU's instruction where it has one."""

def deal(group_of_device: _Ints, weight: _Reals, x: _Reals, cap: _Reals | None = None) -> _Reals:
    """Deal the rates x[G, T] of groups to their devices by weight, at most cap each: [N, T]."""

def declared_bound(rule: str, members: int, deadband: float, value: float = 0.0) -> float:
    """How far the truth may lie from a summary when every member is within `deadband` of what it reported."""

def decode_ack(frame: Buffer) -> tuple[int, int, int, int, int]:
    """The fields of its body in wire order; every check of header and body is on."""

def decode_barrier(frame: Buffer) -> tuple[int]:
    """The fields of its body in wire order; every check of header and body is on."""

def decode_blocks(frame: Buffer) -> list[_Block]:
    """Blocks of a DELTA or SNAPSHOT: (attribute, type, base_time_ns, rows, dt_us or None, values); structure
    only."""

def decode_bye(frame: Buffer) -> tuple[int, str]:
    """The fields of its body in wire order; every check of header and body is on."""

def decode_header(frame: Buffer) -> Header:
    """The header, all its checks and the crc32c on; CoreRefusedError with .reason and .at otherwise."""

def decode_heartbeat(frame: Buffer) -> tuple[int, int, int, int, int, int, int, int]:
    """The fields of its body in wire order; every check of header and body is on."""

def decode_hello(frame: Buffer) -> tuple[int, int, int, int, int, int, int, int, int]:
    """The fields of its body in wire order; every check of header and body is on."""

def decode_lease(frame: Buffer) -> _Lease | None:
    """(epoch, basis_version, validity_ms, age_ms, echo, flags) of a budget frame, else None."""

def decode_resync(frame: Buffer) -> tuple[int, int, int]:
    """The fields of its body in wire order; every check of header and body is on."""

def decode_solve(frame: Buffer) -> tuple[int, int, int, int, list[int], list[_SolverBlock]]:
    """(request, deadline_ms, problem, form, sizes, blocks)"""

def decode_solved(frame: Buffer) -> tuple[int, int, int, int, list[_SolverBlock]]:
    """(request, status, form, solve_us, blocks)"""

def decode_welcome(frame: Buffer) -> tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]:
    """The fields of its body in wire order; every check of header and body is on."""

def disjoint_paths(
    graph: Graph, src: int, dst: int, k: int, overlay: Overlay | None = None, by_nodes: bool = False
) -> list[_Ints]:
    """At most k paths of least total weight that share no link (no node on the way)."""

def effective_height(distance_m: _Reals, base_height_m: _Reals, user_height_m: _Reals, uniform: _Reals) -> _Reals:
    """Height of the surroundings of uma users, m, drawn with numbers in [0, 1)."""

def encode_ack(
    received: int, durable: int, applied_at_root: int, credit_frames: int, credit_bytes: int, incarnation: int
) -> bytes:
    """A sealed frame."""

def encode_barrier(epoch: int, incarnation: int) -> bytes:
    """A sealed frame."""

def encode_bye(reason: int, text: str, incarnation: int) -> bytes:
    """A sealed frame."""

def encode_delta(
    table: StateTable,
    number: int,
    incarnation: int,
    max_bytes: int = 262144,
    max_frames: int = 18446744073709551615,
    total_bytes: int = 18446744073709551615,
) -> list[bytes]:
    """Number and encode pending cells; what the limits hold back stays pending."""

def encode_heartbeat(
    counter: int,
    echo: int,
    cursor: int,
    last_number: int,
    digest: int,
    epoch: int,
    age_ms: int,
    state: int,
    incarnation: int,
) -> bytes:
    """A sealed frame."""

def encode_hello(
    version_min: int,
    version_max: int,
    flags: int,
    stream_id: int,
    first: int,
    last: int,
    peer_stream_id: int,
    peer_cursor: int,
    epoch: int,
    incarnation: int,
) -> bytes:
    """A sealed frame."""

def encode_resync(cursor: int, reason: int, chunk: int, incarnation: int) -> bytes:
    """A sealed frame."""

def encode_snapshot(
    tables: Sequence[StateTable],
    as_of: int,
    incarnation: int,
    lease: tuple[int, int, int, int, int, int] | None = None,
    max_bytes: int = 262144,
) -> list[bytes]:
    """All tables of a stream in chunks; nothing may be pending."""

def encode_solve(
    request: int,
    deadline_ms: int,
    problem: int,
    form: int,
    sizes: Sequence[int],
    blocks: Sequence[_SolverBlock],
    incarnation: int,
) -> bytes:
    """A request; blocks are (attribute, type, rows u32[n] or None, values f64[n])."""

def encode_solved(
    request: int, status: int, form: int, solve_us: int, blocks: Sequence[_SolverBlock], incarnation: int
) -> bytes:
    """An answer of a solver."""

def encode_unit(
    table: StateTable,
    number: int,
    incarnation: int,
    lease: tuple[int, int, int, int, int, int] | None = None,
    plan: bool = False,
    max_bytes: int = 1000000,
) -> list[bytes]:
    """Everything pending as one unit (a row of query, cut, point; a plan)."""

def encode_welcome(
    version: int,
    mode_up: int,
    mode_down: int,
    flags: int,
    stream_id: int,
    first: int,
    last: int,
    peer_stream_id: int,
    peer_cursor: int,
    epoch: int,
    credit_frames: int,
    credit_bytes: int,
    heartbeat_ms: int,
    incarnation: int,
) -> bytes:
    """A sealed frame."""

def erlang_c(servers: _Ints, offered: _Reals) -> _Reals:
    """Probability of waiting at c servers."""

def f_tail(f: float, d1: float, d2: float) -> float:
    """P(F > f) with d1 and d2 degrees of freedom."""

def free_space_loss(distance_m: _Reals, ghz: _Reals) -> _Reals:
    """Free-space loss, dB."""

def gamma_quantile(shape: _Reals, q: _Reals) -> _Reals:
    """Quantiles of gamma laws of these shapes and of scale 1."""

def gg1_wait(lam: _Reals, es: _Reals, ca2: _Reals, cs2: _Reals) -> _Reals:
    """Mean wait in G/G/1 by Kingman."""

def heat_factor(activation_ev: float, reference_c: float, celsius: _Reals) -> _Reals:
    """Arrhenius acceleration against the reference."""

def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised, I_x(a, b)."""

def indoors_at(seed: int, share: float, x_m: _Reals, y_m: _Reals) -> _Bools:
    """Which places lie in buildings, by place."""

def ingest(table: StateTable, frame: Buffer, cursor: int = 0) -> int:
    """Check a DELTA, then apply what lies beyond `cursor`; cells that changed. A bad frame applies nothing."""

def isotonic(values: _Reals, weights: _Reals, least: float = 0.0) -> _Reals:
    """The nearest non-decreasing sequence."""

def log_header(file: Buffer) -> dict[str, Any]:
    """Fields of a log file's header."""

def log_records(segment: Buffer) -> tuple[list[tuple[str, int, int, int, bool, bool]], tuple[str, int]]:
    """(kind, peer, offset, bytes, group_start, from_spill) of each record; then (fault, offset) of the end."""

def max_flow(
    graph: Graph, src: int, dst: int, capacity: _Reals, overlay: Overlay | None = None
) -> tuple[float, _Reals, _Bools, _Ints]:
    """Value, flow of every link, source side of a minimum cut, links of the cut."""

def md1_wait(lam: _Reals, es: _Reals) -> _Reals:
    """Mean wait in M/D/1."""

def mg1_wait(lam: _Reals, es: _Reals, es2: _Reals) -> _Reals:
    """Mean wait in M/G/1."""

def mm1_delay(lam: _Reals, mu: _Reals) -> _Reals:
    """Mean time in an M/M/1 station."""

def mm1_tail(lam: _Reals, mu: _Reals, t: _Reals) -> _Reals:
    """P(time in an M/M/1 station > t)."""

def mm1k_delay(lam: _Reals, mu: _Reals, places: _Ints) -> _Reals:
    """Mean time in M/M/1/K of those let in."""

def mm1k_loss(lam: _Reals, mu: _Reals, places: _Ints) -> _Reals:
    """Loss of an M/M/1/K station."""

def mmc_delay(lam: _Reals, mu: _Reals, servers: _Ints) -> _Reals:
    """Mean time in an M/M/c station."""

def normal_field(seed: int, entity: int, purpose: int, correlation_m: float, x_m: _Reals, y_m: _Reals) -> _Reals:
    """Standard normal field with correlation of about exp(-d / correlation_m)."""

def orbital_speed(altitude_m: _Reals) -> _Reals:
    """Speed on a circular orbit, m/s."""

def path_loss(
    model: str,
    distance_m: _Reals,
    base_height_m: _Reals,
    user_height_m: _Reals,
    ghz: _Reals,
    in_sight: _Bools,
    effective_height_m: _Reals,
) -> _Reals:
    """Median path loss, dB (TR 38.901 table 7.4.1-1); the effective height is 1 m but for tall users in uma."""

def perf_coefficients() -> _Reals:
    """Fitted coefficients of the performance model, in the order of cpp/perf/config.hpp."""

def philox(seed: int, entity: int, purpose: int, n: int) -> _Reals:
    """The first n uniforms in [0, 1) of the stream (seed, entity, purpose)."""

def play_station(
    prbs: int,
    in_order: bool,
    buffer: _Rows,
    prb_bits: _Rows,
    most_prbs: _Rows,
    time_ns: _Ints,
    flow: _Rows,
    packets: _Rows,
    bits: _Rows,
    until_ns: _Ints,
) -> dict[str, Any]:
    """One cell's air in one direction, for given arrivals and rates."""

def priority_wait(lam: _Reals, es: _Reals, es2: _Reals) -> _Reals:
    """Mean waits of non-preemptive priority classes, the first served first."""

def ps_delay(lam: _Reals, es: _Reals) -> _Reals:
    """Mean time in an M/G/1 processor-sharing station."""

def rain_attenuation(ghz: _Reals, rain_mm_h: _Reals, elevation_deg: _Reals, tilt_deg: _Reals) -> _Reals:
    """Specific attenuation by rain, dB/km (ITU-R P.838-3)."""

def rain_coefficients(ghz: _Reals, elevation_deg: _Reals, tilt_deg: _Reals) -> tuple[_Reals, _Reals]:
    """(k, alpha) of ITU-R P.838-3; tilt of the polarisation: 0 horizontal, 90 vertical, 45 circular."""

def rate_of(sinr_db: _Reals, bandwidth_hz: _Reals, efficiency: float = 0.7, cap: float = 7.4) -> _Reals:
    """bit/s: W min(efficiency log2(1 + SINR), cap)."""

def recover_log(node: str, segments: Sequence[Buffer], snapshots: Sequence[Buffer], stream: int = 0) -> LogRecovery:
    """The verdict on the bytes of a node's log files."""

def restamp(frame: Buffer, incarnation: int, retransmit: bool = True) -> bytes:
    """The same frame to be sent again: incarnation, flag, crc."""

def sample_entropy(series: _Reals, m: int = 2, r: float = 0.2) -> _Reals:
    """Sample entropy of each row (r in standard deviations; NaN: not seen), capped where nothing matches."""

def satellite_loss(
    ground: str, elevation_deg: _Reals, altitude_m: _Reals, ghz: _Reals, in_sight: _Bools, zenith_gas_db: _Reals
) -> _Reals:
    """Median path loss, dB (TR 38.811 section 6.6)."""

def satellite_shadowing(ground: str, elevation_deg: _Reals, ghz: _Reals, in_sight: _Bools) -> _Reals:
    """Standard deviation of shadowing, dB (TR 38.811 tables 6.6.2-1 to 6.6.2-3)."""

def satellite_sight_probability(ground: str, elevation_deg: _Reals) -> _Reals:
    """Probability of line of sight (TR 38.811 table 6.6.1-1); grounds: dense_urban, urban, rural."""

def score_windows(
    values: _Reals,
    targets: _Reals,
    *,
    m: int = 2,
    r: float = 0.2,
    lags: int = 5,
    order: int = 3,
    least: int = 16,
    level: float = 0.01,
    weights: Sequence[float] = [1.0, 1.0, 0.5],
    form: str = "quotient",
) -> dict[str, Any]:
    """Scores of whole windows of many zones at once."""

def sector_gain(
    azimuth_deg: float,
    tilt_deg: float,
    to_azimuth_deg: _Reals,
    to_elevation_deg: _Reals,
    width_deg: float = 65.0,
    peak_dbi: float = 8.0,
    depth_db: float = 30.0,
) -> _Reals:
    """Gain of a sector antenna towards directions, dBi (TR 38.901 table 7.3-1); elevations above the horizon."""

def serving_beams(map: CellMap, cell: _Signed, azimuth_error_deg: _Reals, elevation_error_deg: _Reals) -> _Reals:
    """Gain of the beam of each user's serving cell, dB, by its array and its errors; 0 where the cell is -1."""

def session_rows() -> list[tuple[int, int, int, int, int]]:
    """The transition table: (states mask, inputs mask, condition, next state or -1, effects mask) a row."""

def shadowing(
    model: str, distance_m: _Reals, base_height_m: _Reals, user_height_m: _Reals, ghz: _Reals, in_sight: _Bools
) -> tuple[_Reals, _Reals]:
    """(standard deviation in dB, correlation distance in m) of shadowing (TR 38.901 table 7.5-6)."""

def sight_probability(model: str, distance_m: _Reals, base_height_m: _Reals, user_height_m: _Reals) -> _Reals:
    """Probability of line of sight (TR 38.901 table 7.4.2-1); models: uma, umi, rma, inh."""

def sinr(map: CellMap, gain_db: _Reals, cells: _Signed, serving: _Signed, beam_db: _Reals, load: _Reals) -> _Reals:
    """SINR of each user, dB; `serving` is a slot, -1 none; `beam_db` may be empty."""

def slant_rain_loss(
    elevation_deg: _Reals,
    rain_height_km: _Reals,
    station_height_km: _Reals,
    latitude_deg: _Reals,
    ghz: _Reals,
    rain001_mm_h: _Reals,
    tilt_deg: _Reals,
    percent: _Reals,
) -> _Reals:
    """Loss by rain on a slant path, exceeded in so much of an average year, dB (P.618-13)."""

def slant_range(elevation_deg: _Reals, altitude_m: _Reals) -> _Reals:
    """Distance to a satellite, m; Earth's radius 6371 km."""

def solve_upper(
    level: _Reals,
    slope: _Reals,
    share: _Reals,
    limit: _Reals,
    kappa: _Reals,
    price: _Reals,
    iteration_limit: int = 80,
    tolerance: float = 1e-08,
) -> tuple[Any, ...]:
    """Upper model of a node in the solver's units: (x [N, J], weight [N, K], price [J], gap, iterations)."""

def spectral_efficiency(
    power: _Reals,
    gain: _Reals,
    power_least: _Reals,
    power_most: _Reals,
    bandwidth: _Reals,
    activity: _Reals,
    outside: _Reals,
    noise: float,
    efficiency: float,
    cap: float,
) -> _Reals:
    """bit/s/Hz of every user at every cell under these powers, [U, C]."""

def stream_digest(tables: Sequence[StateTable]) -> int:
    """Sum of the tables' digests modulo 2^64."""

def strongest(
    map: CellMap,
    x_m: _Reals,
    y_m: _Reals,
    z_m: _Reals,
    indoors: _Bools,
    seed: int,
    k: int,
    high_loss_share: float = 0.2,
    carrier: int = -1,
    masts: int = 0,
) -> tuple[_Signed, _Reals]:
    """(cells, gains in dB), [users, k] each: those of the largest received power; -1 and -inf where fewer."""

def summarize(
    members: StateTable,
    partition: Partition,
    plan: SummaryPlan,
    out: StateTable,
    now_ns: int,
    dirty: _Rows | None = None,
    deadband: bool = True,
) -> int:
    """Merge member rows into the group rows of `out`; returns the cells written."""

def terrestrial_path_factor(ghz: _Reals, rain001_mm_h: _Reals, km: _Reals, tilt_deg: _Reals) -> _Reals:
    """Factor of the path's length, at most 2.5 (ITU-R P.530-17)."""

def terrestrial_rain_loss(ghz: _Reals, rain001_mm_h: _Reals, km: _Reals, tilt_deg: _Reals, percent: _Reals) -> _Reals:
    """Loss by rain exceeded in so much of an average year, dB (ITU-R P.530-17)."""

def trends(values: _Reals, ptr: _Ints, taus: Sequence[float], window: int, first: int) -> _Reals:
    """Levels, slopes and beginnings of runs at every cycle."""

def waterfill(
    capacity: _Reals, offsets: _Ints, links: _Ints, weights: _Reals, tolerance: float = 1e-12
) -> tuple[_Reals, int]:
    """Weighted max-min rates of flows over links (CSR rows of links): (rates, rounds)."""

def wear_history(
    seed: int, config: dict[str, Any], load: _Reals, until_ns: int, keep_signals: bool
) -> tuple[_Ints, _Ints, _Ints, _Reals]:
    """Parts under constant loads: time_ns, part, up of failures and repairs; signals[measurement, part, 4] of X,
    temperature, vibration, errors (cpp/plant/wear.hpp)."""

LOG_FAULTS: dict[str, int]
LOG_HEADER_BYTES: int
LOG_LINK_BYTES: int
LOG_SEGMENT_BYTES: int
PEER_EVENTS: dict[str, int]
REASONS: dict[str, int]
SESSION_EFFECTS: dict[str, int]
SESSION_INPUTS: dict[str, int]
SESSION_STATES: dict[str, int]
