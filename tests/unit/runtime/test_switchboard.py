"""The switchboard's turns: a door that opens again gets through its proof however busy the loop is."""

from __future__ import annotations

import time

from tiertwin.runtime.switchboard import Switchboard
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import KeyPair, Member, make_keys
from tiertwin.wire.zeromq import Bind, NodeEndpoint


def test_a_door_opens_again_in_a_loop_that_never_waits() -> None:
    keys = make_keys([Member("fog-1", "fog"), Member("edge-a", "edge", ("fog-1",))], time.time())
    with WireContext(keys.access, now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
        board = Switchboard(wire)
        fog = NodeEndpoint(wire, "fog-1", keys.keys["fog-1"].pair, bind=Bind())
        board.listen(fog)
        wire.prove([fog], time.monotonic_ns)
        port = fog.port
        board.rekey("fog-1", KeyPair.fresh(), time.monotonic_ns())
        assert not fog.proven
        until = time.monotonic() + 20
        while not fog.proven and time.monotonic() < until:
            board.turn(0)
        assert fog.proven
        assert fog.port == port
