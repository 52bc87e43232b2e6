"""Starts the processes of a tree, hands out addresses, serves the solver pool, and ends everything again."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tiertwin import __version__
from tiertwin.errors import ProcessError, TiertwinError
from tiertwin.runtime.childconfig import (
    ChildConfig,
    LiveConfig,
    Peer,
    SolverConfig,
    TwinsConfig,
    settings_to_plain,
    twins_config,
)
from tiertwin.runtime.children import Child, end_all
from tiertwin.runtime.control import Address, Connect, Done, Linked, Message, Ready
from tiertwin.runtime.deployment import (
    DEPLOYMENT_FILE,
    KEY_FOLDER,
    STATE_FOLDER,
    WORLD_FILE,
    Deployment,
    Place,
    PoolPlace,
    schema_fingerprint,
    tree_members,
)
from tiertwin.runtime.keeper import Keeper
from tiertwin.runtime.logs import LogFile
from tiertwin.runtime.pool import PoolFront
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.register import Register
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.tree import master_shapes
from tiertwin.wire.context import WireContext
from tiertwin.wire.endpoint import LOCALHOST
from tiertwin.wire.keys import make_keys, write_keys
from tiertwin.wire.zeromq import Bind, NodeEndpoint
from tiertwin.world.stored import store_world

if TYPE_CHECKING:
    from tiertwin.runtime.processes import ProcessPlan
    from tiertwin.runtime.roster import Roster
    from tiertwin.runtime.tree import Settings
    from tiertwin.wire.keys import KeySet
    from tiertwin.world import World

START_S, LINK_S, ANSWER_S = 30.0, 20.0, 180.0  # timeouts `start`, `link`, `answer`
SETTLE_NS = 1_500_000_000  # from the last process ready to the beginning of epoch 0: sessions open meanwhile
SOLVER_LATE_S = 1.0  # a worker that is this late hangs
LAUNCHER = "launcher"
_M = TypeVar("_M")


@dataclass(frozen=True)
class TreePlan:
    """A tree of processes to be started.

    Parameters
    ----------
    processes
        Who hosts whom. Nodes of the roster that no process hosts may come by themselves: they have keys.
    solvers
        Workers of the solver pool: one works, the others are warm spares that take work too.
    folder
        For logs and the stored world.
    real_clock
        Under the real clock, else in lockstep.
    pool_host
        Address that the solver pool listens on.
    first_port
        Fixed ports under the real clock: the pool's, then one a node in roster order; 0: the system chooses.
    durable
        Twins keep logs, under the real clock.
    command
        How its processes are started; None: as ever.
    """

    world: World
    roster: Roster
    settings: Settings
    processes: list[ProcessPlan]
    solvers: int
    folder: Path
    real_clock: bool = False
    pool_host: str = LOCALHOST
    first_port: int = 0
    durable: bool = False
    command: tuple[str, ...] | None = None


class Launcher:
    """The running processes of a tree; a context manager that leaves none behind.

    Parameters
    ----------
    plan
        What to start.
    """

    def __init__(self, plan: TreePlan) -> None:
        self.plan = plan
        self.children: dict[str, Child] = {}
        self.home = {node: process.name for process in plan.processes for node in process.nodes}
        self.keys = _keys(plan)
        self.addresses: dict[str, Address] = {}
        self._wire = WireContext(self.keys.access, now_ns=time.monotonic_ns(), now_s=time.time())
        self._board = Switchboard(self._wire)
        self._front: PoolFront | None = None
        self._ending: set[str] = set()  # who was killed for lateness and has not been replaced yet
        self._logs = plan.folder / "logs"
        self._register: Register | None = None
        self._keeper: Keeper | None = None  # once it runs under the real clock
        self.started_s = 0.0
        self.origin = 0  # when epoch 0 begins under the real clock, ns
        self._counters: Counter[str] = Counter()

    def __enter__(self) -> Launcher:
        began = time.monotonic()
        try:
            self._start()
            if self.plan.real_clock:
                self._keeper = self._keep()
        except BaseException:
            self.close()
            raise
        self.started_s = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> list[str]:
        """End every process; return the names of those that had to be killed."""
        killed = end_all(self.children.values())
        self.children = {}
        if self._register is not None:
            self._register.close()
            self._register = None
        self._wire.close()
        return killed

    # -- start ---------------------------------------------------------------------------------------------------------
    def _start(self) -> None:
        plan = self.plan
        self._logs.mkdir(parents=True, exist_ok=True)
        store_world(plan.world, plan.folder / WORLD_FILE)
        self._pool = self._open_pool()
        for name in [*self._solvers(), *(process.name for process in plan.processes)]:
            self._spawn(name)
        if plan.real_clock:
            write_keys(plan.folder / KEY_FOLDER, self.keys, durable=False)
        ports: dict[str, int] = {}
        for child in self.children.values():
            ports |= self.expect(child, Ready, "start", START_S).ports
        hosts = {name: process.host for process in plan.processes for name in process.nodes}
        addresses = self.addresses = {name: Address(hosts[name], port) for name, port in ports.items()}
        addresses[POOL] = Address(plan.pool_host, self._board.port(POOL))
        if plan.real_clock:
            self.origin = time.time_ns() + SETTLE_NS
            self._register = self._open_register()
        for process in plan.processes:
            self.children[process.name].tell(self._connect())
        for child in self.children.values():
            self.expect(child, Linked, "link", LINK_S)

    def _connect(self) -> Connect:
        return Connect(self.addresses, self.origin)

    def _open_register(self) -> Register:
        register = Register(self.plan.folder / DEPLOYMENT_FILE, self._describe())
        register.enter(LAUNCHER, os.getpid())
        for child in self.children.values():
            register.enter(child.name, child.pid)
        register.write()
        return register

    def _keep(self) -> Keeper:
        """Have somebody start again what ends by itself: all but the plant, whose end is that of the run."""
        assert self._register is not None
        plan, log = self.plan, LogFile(self._logs / f"{LAUNCHER}.log", LAUNCHER)
        twins = [p.name for p in plan.processes if not any(plan.roster.is_plant(name) for name in p.nodes)]
        solvers = self._solvers()
        return Keeper(twins, solvers, self.children, self._spawn, self._connect(), self._register, log)

    def _describe(self) -> Deployment:
        """Everything that is needed to start a node of this tree again, at its old place."""
        plan, keys, addresses = self.plan, self.keys.keys, self.addresses
        places = [
            Place(name, process.name, process.host, addresses[name].port if name in addresses else 0, keys[name].public)
            for process in plan.processes
            for name in process.nodes
        ]
        pool = addresses[POOL]
        return Deployment(
            tiertwin=__version__,
            schema=schema_fingerprint(),
            origin=self.origin,
            pool=PoolPlace(pool.host, pool.port, keys[POOL].public),
            nodes=places,
            settings=settings_to_plain(plan.settings),
            durable=plan.durable,
        )

    def _spawn(self, name: str) -> Child:
        """Start a child, for the first time or again."""
        child = Child(self._config(name), self._logs / f"{name}.log", self.plan.command)
        self.children[name] = child
        self._ending.discard(name)
        self._wire.poller.add_file(child.fd, child)
        return child

    def _config(self, name: str) -> ChildConfig:
        plan = self.plan
        if name in self._solvers():
            shapes = master_shapes(plan.roster) if plan.real_clock else []
            place = plan.pool_host, self._board.port(POOL)
            wanted = plan.settings.master_solver
            return ChildConfig(name, solver=SolverConfig(self.keys.keys[name], self._pool, *place, wanted, shapes))
        process = next(process for process in plan.processes if process.name == name)
        twins = self._twins(process, plan.folder / WORLD_FILE, self._pool)
        outlive = plan.real_clock  # its twins go on when the launcher is gone
        return ChildConfig(name, dies_with_parent=not outlive, twins=twins)

    def _solvers(self) -> list[str]:
        return [f"solver-{k + 1}" for k in range(self.plan.solvers)]

    def _open_pool(self) -> Peer:
        key = self.keys.keys[POOL]
        endpoint = NodeEndpoint(
            self._wire,
            POOL,
            key.pair,
            bind=Bind(self.plan.pool_host, self.plan.first_port if self.plan.real_clock else 0),
        )
        self._wire.prove([endpoint], time.monotonic_ns)
        self._board.listen(endpoint)
        self._front = PoolFront(
            self._solvers(), lambda peer, frame: self._board.send(POOL, peer, frame), time.monotonic
        )
        return Peer(POOL, key.public)

    def _twins(self, process: ProcessPlan, world: Path, pool: Peer) -> TwinsConfig:
        plan, keys = self.plan, self.keys.keys
        return twins_config(
            plan.roster,
            process.nodes,
            world,
            settings_to_plain(plan.settings),
            [keys[name] for name in process.nodes],
            {name: key.public for name, key in keys.items()},
            self.keys.access.grants,
            process.host,
            pool,
            self._live(process) if plan.real_clock else None,
        )

    def _live(self, process: ProcessPlan) -> LiveConfig:
        folder = self.plan.folder
        return LiveConfig(
            str(folder / STATE_FOLDER),
            ports=self._ports(process),
            keys=str(folder / KEY_FOLDER),
            durable=self.plan.durable,
        )

    def _ports(self, process: ProcessPlan) -> dict[str, int]:
        """Ports that nodes must have: those that they had, or fixed ones; else they take free ones."""
        if self.addresses:
            return {name: self.addresses[name].port for name in process.nodes if name in self.addresses}
        first, roster = self.plan.first_port, self.plan.roster
        return (
            {name: first + 1 + roster.index(name) for name in process.nodes if roster.tier(name) >= 0} if first else {}
        )

    # -- the loop ------------------------------------------------------------------------------------------------------
    def turn(self, timeout_ms: float) -> None:
        """Read what children say, start again who is due, and serve the pool."""
        for owner in self._board.turn(timeout_ms):
            if isinstance(owner, Child):
                self._read(owner)
        if self._keeper is not None:
            self._keeper.turn()
        frames = self._board.frames
        if self._front is not None:
            while frames:
                sender, _, frame = frames.popleft()
                self._front.take(sender, frame)
            self._front.flush()

    def _read(self, child: Child) -> None:
        try:
            child.read()
            if self._keeper is not None:
                self._keeper.greet(child)
        except TiertwinError as error:
            self._wire.poller.remove_file(child.fd)
            if self._keeper is None:  # in lockstep, and while starting, nobody goes on without it
                raise
            del self.children[child.name]
            child.end()
            if self._front is not None:
                self._front.lost(child.name)
            self._keeper.lost(child, error)

    @property
    def news(self) -> list[str]:
        """What became of children since the start under the real clock, in words."""
        return [] if self._keeper is None else self._keeper.news

    def bring_back(self, name: str) -> None:
        """Start a process again that was asked to end or was given up; nothing for one that runs."""
        if self._keeper is not None and name not in self.children:
            self._keeper.bring_back(name)

    def was_there(self, name: str, at: int) -> bool:
        """Whether a process has been there since `at`, ns since 1970, or before."""
        return self._keeper is None or self._keeper.was_there(name, at)

    def kill_overdue(self) -> list[str]:
        """Kill workers whose deadline passed (R44): the spare takes over, a new one warms up.

        Whoever was started again and never says that it is there (timeout `start`) is late as well.
        """
        assert self._front is not None
        late = self._front.overdue(time.monotonic(), SOLVER_LATE_S)
        late += [] if self._keeper is None else self._keeper.overdue(START_S)
        late = [name for name in late if name not in self._ending]
        self._ending |= set(late)
        for name in late:
            self.children[name].kill()
            self._counters["solvers killed"] += name in self._solvers()
        return late

    def counted(self) -> dict[str, int]:
        """What was counted here so far; problems that wait for a worker now are `waiting`. Any thread may look."""
        front = self._front
        pool = {} if front is None else {"served": sum(dict(front.served).values()), "waiting": front.depth}
        kept = {} if self._keeper is None else dict(self._keeper.counters)
        return dict(self._counters) | kept | pool

    def expect(self, child: Child, kind: type[_M], timeout: str, seconds: float) -> _M:
        """Wait for the child's next message, which must be of this kind.

        Raises
        ------
        ProcessError
            It failed, said something else, or nothing in time.
        """
        until = time.monotonic() + seconds
        while not child.messages:
            left = until - time.monotonic()
            if left <= 0:
                raise ProcessError(
                    f"timeout {timeout!r}: process {child.name} (pid {child.pid}) said nothing for {seconds:g} s"
                )
            self.turn(1000 * min(left, 1.0))
        message = child.messages.popleft()
        if not isinstance(message, kind):
            raise ProcessError(f"process {child.name}: expected {kind.__name__}, got {type(message).__name__}")
        return message


class RemotePart:
    """A process of the tree as the lockstep asks it."""

    def __init__(self, launcher: Launcher, child: Child) -> None:
        self._launcher, self._child = launcher, child

    def tell(self, message: Message) -> None:
        """Ask for something."""
        self._child.tell(message)

    def done(self) -> Done:
        """Wait for the answer."""
        return self._launcher.expect(self._child, Done, "answer", ANSWER_S)


def _keys(plan: TreePlan) -> KeySet:
    """Throw-away keys of a run."""
    return make_keys(tree_members(plan.world.twins, plan.solvers), time.time())
