"""Starts the processes of a tree, hands out addresses, serves the solver pool, and ends everything again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tiertwin.errors import ProcessError
from tiertwin.runtime.childconfig import ChildConfig, Peer, SolverConfig, TwinsConfig, settings_to_plain
from tiertwin.runtime.children import Child, end_all
from tiertwin.runtime.control import Address, Connect, Done, Linked, Message, Ready
from tiertwin.runtime.pool import PoolFront
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import Member, make_keys, members_of
from tiertwin.wire.zeromq import Bind, NodeEndpoint
from tiertwin.world.stored import store_world

if TYPE_CHECKING:
    from tiertwin.runtime.processes import ProcessPlan
    from tiertwin.runtime.roster import Roster
    from tiertwin.runtime.tree import Settings
    from tiertwin.wire.keys import KeySet
    from tiertwin.world import World

START_S, LINK_S, ANSWER_S = 30.0, 20.0, 180.0  # timeouts `start`, `link`, `answer`
LOCALHOST = "127.0.0.1"
ROLES = ("device", "edge", "fog", "cloud")
_M = TypeVar("_M")


@dataclass(frozen=True)
class TreePlan:
    """A tree of processes to be started.

    Parameters
    ----------
    processes
        Who hosts whom.
    solvers
        Workers of the solver pool: one works, the others are warm spares that take work too.
    folder
        For logs and the stored world.
    """

    world: World
    roster: Roster
    settings: Settings
    processes: list[ProcessPlan]
    solvers: int
    folder: Path


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
        self._keys = _keys(plan)
        self._wire = WireContext(self._keys.access, now_ns=time.monotonic_ns(), now_s=time.time())
        self._board = Switchboard(self._wire)
        self._front: PoolFront | None = None
        self._logs = plan.folder / "logs"
        self.started_s = 0.0

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
        self._wire.close()
        return killed

    # -- start ---------------------------------------------------------------------------------------------------------
    def _start(self) -> None:
        plan = self.plan
        self._logs.mkdir(parents=True, exist_ok=True)
        world = plan.folder / "world.npz"
        store_world(plan.world, world)
        pool = self._open_pool()
        for name in self._solvers():
            config = SolverConfig(self._keys.keys[name], pool, LOCALHOST, self._board.port(POOL))
            self._spawn(ChildConfig(name, solver=config))
        for process in plan.processes:
            self._spawn(ChildConfig(process.name, twins=self._twins(process, world, pool)))
        ports: dict[str, int] = {}
        for child in self.children.values():
            ports |= self.expect(child, Ready, "start", START_S).ports
        addresses = {name: Address(LOCALHOST, port) for name, port in ports.items()}
        addresses[POOL] = Address(LOCALHOST, self._board.port(POOL))
        for process in plan.processes:
            self.children[process.name].tell(Connect(addresses))
        for child in self.children.values():
            self.expect(child, Linked, "link", LINK_S)

    def _solvers(self) -> list[str]:
        return [f"solver-{k + 1}" for k in range(self.plan.solvers)]

    def _open_pool(self) -> Peer:
        key = self._keys.keys[POOL]
        endpoint = NodeEndpoint(self._wire, POOL, key.pair, bind=Bind(LOCALHOST))
        self._wire.prove([endpoint], time.monotonic_ns)
        self._board.listen(endpoint)
        self._front = PoolFront(self._solvers(), lambda peer, frame: self._board.send(POOL, peer, frame))
        return Peer(POOL, key.public)

    def _twins(self, process: ProcessPlan, world: Path, pool: Peer) -> TwinsConfig:
        roster, keys = self.plan.roster, self._keys.keys
        here = set(process.nodes)
        parents, children, listening = {}, set(), []
        for name in process.nodes:
            parent = roster.parent(name)
            if parent is not None and parent not in here:
                parents[name] = Peer(parent, keys[parent].public)
            away = [child.name for child in roster.children(name) if child.name not in here]
            if away:
                listening.append(name)
                children |= set(away)
        access = Access(grant for grant in self._keys.access.grants if grant.node in children)
        solving = [name for name in process.nodes if roster.tier(name) >= 2]
        return TwinsConfig(
            world=str(world),
            settings=settings_to_plain(self.plan.settings),
            nodes=list(process.nodes),
            keys=[keys[name] for name in process.nodes],
            access=access.to_json().decode(),
            parents=parents,
            listening=listening,
            bind=LOCALHOST,
            pool=pool if solving else None,
            solving=solving,
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
                try:
                    owner.read()
                except Exception:
                    self._wire.poller.remove_file(owner.fd)
                    raise
        frames = self._board.frames
        if self._front is not None:
            while frames:
                sender, _, frame = frames.popleft()
                self._front.take(sender, frame)
            self._front.flush()

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
    """Throw-away keys of a run: each node may connect to its parent, orchestrators to the pool besides."""
    twins: list[Any] = [(t.name, ROLES[t.tier], t.parent) for t in plan.world.twins]
    members = []
    for member in members_of(twins, plan.solvers):
        pool = (POOL,) if member.role in ("fog", "cloud") else ()
        members.append(Member(member.name, member.role, member.parents + pool))
    return make_keys([*members, Member(POOL, "solver")], time.time())
