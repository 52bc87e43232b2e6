"""Everything a stranger may try, on every port given: ``storm.py '{"ports": [...], "known": [[port, key], …]}'``.

A process of its own, so that it takes no time of the loop it attacks. Connects to loopback only. Ends with 0 when no
port did what it should not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import raw_peer
from support.raw_peer import CurvePeer
from tiertwin.wire.keys import KeyPair

CONNECTIONS = 20
EVERY = 8  # of the slow ones, on which port again


def main() -> int:
    """Attack; print what was let in, cut too late, or read too far."""
    targets = json.loads(sys.argv[1])
    wrong = [f"{port} let a stranger in" for port, key in targets["known"] if admits(port, key.encode())]
    for k, port in enumerate(targets["ports"]):
        raw_peer.garbage(port, CONNECTIONS, seed=k)
        half_open = [raw_peer.connected(port) for _ in range(3)]
        if admits(port, KeyPair.fresh().public):
            wrong.append(f"{port} let a stranger in that does not know its key")
        if k % EVERY == 0:
            cut = {name: raw_peer.opening_is_cut(port, said) for name, said in raw_peer.OPENINGS.items()}
            wrong += [f"{port} did not cut {name!r}" for name, ended in cut.items() if not ended]
            taken, ended = raw_peer.huge_frame(port, 24)
            if taken >= 24 or not ended:
                wrong.append(f"{port} took {taken} MiB of a frame of 8 GiB")
        for sock in half_open:
            sock.close()
    print("\n".join(wrong))
    return 1 if wrong else 0


def admits(port: int, server: bytes) -> bool:
    """Whether somebody with keys of his own is let in."""
    try:
        CurvePeer(port, KeyPair.fresh(), server).close()
    except OSError:  # PermissionError: refused
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
