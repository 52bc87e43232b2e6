"""A worker of the solver pool: one SOLVE frame in, one SOLVED frame out, nothing kept between them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import PeerError
from tiertwin.runtime import logs
from tiertwin.runtime.control import Linked, Ready, Stop
from tiertwin.runtime.solverframes import decode_request, encode_answer
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.zeromq import NodeEndpoint, ParentAddress

if TYPE_CHECKING:
    from tiertwin.allocate.nodeside import MasterSolver
    from tiertwin.runtime.child import Pipe
    from tiertwin.runtime.childconfig import ChildConfig
    from tiertwin.wire.endpoint import Buffer

LINK_S = 15.0


def run_solver(config: ChildConfig, pipe: Pipe) -> None:
    """Connect to the pool and solve until told to stop."""
    solver = config.solver
    assert solver is not None
    masters = master_solver(solver.solver, solver.shapes)
    name = solver.key.node
    with WireContext(Access(()), now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
        board = Switchboard(wire)
        address = ParentAddress(solver.pool.name, f"tcp://{solver.host}:{solver.port}", solver.pool.public.encode())
        endpoint = NodeEndpoint(wire, name, solver.key.pair, parent=address)
        endpoint.open(time.monotonic_ns())
        board.connect(endpoint, solver.pool.name)
        board.wait_for(lambda: not board.missing(), "link", LINK_S)
        endpoint.send(solver.pool.name, _core.encode_hello(1, 1, 0, 1, 1, 0, 0, 0, 0, 1))  # here I am; no streams
        wire.poller.add_file(pipe.reader.fd, pipe)
        pipe.tell(Ready({}))
        pipe.tell(Linked())
        while True:
            if pipe in board.turn(None) and not pipe.reader.fill():
                return
            if isinstance(pipe.reader.take(), Stop):
                return
            while board.frames:
                sender, _, frame = board.frames.popleft()
                endpoint.send(sender, _solved(masters, frame))


def _solved(masters: MasterSolver, frame: Buffer) -> bytes:
    began = time.monotonic_ns()
    try:
        number, _, request = decode_request(frame)
    except PeerError as error:
        logs.warning("bad request", reason=str(error))
        return encode_answer(None, 0, 0, 1)
    answer = masters.solve(request)
    return encode_answer(answer, number, (time.monotonic_ns() - began) // 1000, 1)
