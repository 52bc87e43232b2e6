"""Starts the processes of a tree, hands out addresses, serves the solver pool, and ends everything again."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tiertwin import __version__
from tiertwin.errors import OutputError, ProcessError, TiertwinError
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
    RunningProcess,
    schema_fingerprint,
    tree_members,
    write_deployment,
)
from tiertwin.runtime.pool import PoolFront
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.tree import master_shapes
from tiertwin.runtime.treefile import began, machine
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
RESTARTS, RESTARTS_S = 5, 60.0  # a worker that ends so often within so long is not started again (R6)
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
        self._ended: dict[str, deque[float]] = {}  # when each worker ended by itself, monotonic s
        self._ending: set[str] = set()  # workers that were killed and have not been replaced yet
        self._solver_since: dict[str, float] = {}  # when each worker was started, monotonic s
        self._logs = plan.folder / "logs"
        self._deployment: Deployment | None = None
        self.started_s = 0.0
        self.origin = 0  # when epoch 0 begins under the real clock, ns
        self.lost: list[str] = []  # children that ended by themselves under the real clock, in words
        self._counters: Counter[str] = Counter()

    def __enter__(self) -> Launcher:
        began = time.monotonic()
        try:
            self._start()
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
        self._take_numbers_back()
        self._wire.close()
        return killed

    # -- start ---------------------------------------------------------------------------------------------------------
    def _start(self) -> None:
        plan = self.plan
        self._logs.mkdir(parents=True, exist_ok=True)
        world = plan.folder / WORLD_FILE
        store_world(plan.world, world)
        pool = self._open_pool()
        self._pool = pool
        for name in self._solvers():
            self._spawn_solver(name)
        outlive = plan.real_clock  # its twins go on when the launcher is gone
        for process in plan.processes:
            twins = self._twins(process, world, pool)
            self._spawn(ChildConfig(process.name, dies_with_parent=not outlive, twins=twins))
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
        self._write_deployment()
        for process in plan.processes:
            self.children[process.name].tell(Connect(addresses, self.origin))
        for child in self.children.values():
            self.expect(child, Linked, "link", LINK_S)

    def _write_deployment(self) -> None:
        """Say in the run directory who runs where, for `tiertwin node` and for observers."""
        if not self.plan.real_clock:
            return
        numbers = {"launcher": os.getpid()} | {child.name: child.pid for child in self.children.values()}
        running = [
            RunningProcess(name=name, pid=pid, began=began(pid), machine=machine()) for name, pid in numbers.items()
        ]
        self._deployment = self._describe(running)
        write_deployment(self.plan.folder / DEPLOYMENT_FILE, self._deployment)

    def _take_numbers_back(self) -> None:
        """Leave the deployment without numbers of processes: the tree ended in order."""
        if self._deployment is None:
            return
        over, self._deployment = msgspec.structs.replace(self._deployment, running=[]), None
        with suppress(OutputError):  # else they stay; nothing runs under them
            write_deployment(self.plan.folder / DEPLOYMENT_FILE, over)

    def _describe(self, running: list[RunningProcess]) -> Deployment:
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
            running=running,
        )

    def _spawn_solver(self, name: str) -> None:
        shapes = master_shapes(self.plan.roster) if self.plan.real_clock else []
        config = SolverConfig(self.keys.keys[name], self._pool, self.plan.pool_host, self._board.port(POOL), shapes)
        self._solver_since[name] = time.monotonic()
        self._ending.discard(name)
        self._spawn(ChildConfig(name, solver=config))

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
            LiveConfig(str(plan.folder / STATE_FOLDER), ports=self._ports(process)) if plan.real_clock else None,
        )

    def _ports(self, process: ProcessPlan) -> dict[str, int]:
        first, roster = self.plan.first_port, self.plan.roster
        return (
            {name: first + 1 + roster.index(name) for name in process.nodes if roster.tier(name) >= 0} if first else {}
        )

    def _spawn(self, config: ChildConfig) -> None:
        child = Child(config, self._logs / f"{config.process}.log")
        self.children[child.name] = child
        self._wire.poller.add_file(child.fd, child)

    # -- the loop ------------------------------------------------------------------------------------------------------
    def turn(self, timeout_ms: float) -> None:
        """Read what children say and serve the pool."""
        for owner in self._board.turn(timeout_ms):
            if isinstance(owner, Child):
                self._read(owner)
        frames = self._board.frames
        if self._front is not None:
            while frames:
                sender, _, frame = frames.popleft()
                self._front.take(sender, frame)
            self._front.flush()

    def _read(self, child: Child) -> None:
        try:
            child.read()
        except TiertwinError as error:
            self._wire.poller.remove_file(child.fd)
            if not self.origin:  # in lockstep, and while starting, nobody goes on without it
                raise
            self.lost.append(str(error))
            self._counters["processes lost"] += 1
            del self.children[child.name]
            child.reap(time.monotonic() + LINK_S)
            if child.name in self._solvers():
                self._replace_solver(child.name)

    def _replace_solver(self, name: str) -> None:
        assert self._front is not None
        self._front.lost(name)
        now = time.monotonic()
        ended = self._ended.setdefault(name, deque(maxlen=RESTARTS))
        ended.append(now)
        if len(ended) == RESTARTS and now - ended[0] < RESTARTS_S:
            del self._solver_since[name]
            self.lost.append(f"{name} ended {RESTARTS} times within {RESTARTS_S:g} s and is not started again")
            return
        self._spawn_solver(name)
        self._counters["solvers started again"] += 1
        self._write_deployment()

    def kill_overdue_solvers(self) -> list[str]:
        """Kill workers whose deadline passed (R44); the spare takes over, a new one warms up.

        One that is started again and never says that it is there (timeout `start`) is late as well.
        """
        assert self._front is not None
        now, front = time.monotonic(), self._front
        late = front.overdue(now, SOLVER_LATE_S)
        late += [name for name, since in self._solver_since.items() if now - since > START_S and not front.knows(name)]
        late = [name for name in late if name not in self._ending]
        self._ending |= set(late)
        for name in late:
            self.children[name].kill()
            self._counters["solvers killed"] += 1
        return late

    def counted(self) -> dict[str, int]:
        """What was counted here so far; problems that wait for a worker now are `waiting`. Any thread may look."""
        front = self._front
        pool = {} if front is None else {"served": sum(dict(front.served).values()), "waiting": front.depth}
        return dict(self._counters) | pool

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
