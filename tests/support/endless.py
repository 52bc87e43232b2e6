"""A message that never ends, by a listed key: ``endless.py '{"port", "secret", "public", "server", "mebibytes"}'``.

A process of its own. Connects to loopback only, sends so many MiB in parts of one, each announcing another, and then
waits to be cut. Prints how much it got rid of; ends with 0 when it was cut.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.raw_peer import CurvePeer
from tiertwin.wire.keys import KeyPair

PART = 1_000_000
WAIT_S = 60.0


def main() -> int:
    """Send until cut, or until everything is sent and nobody cut."""
    asked = json.loads(sys.argv[1])
    pair = KeyPair(public=asked["public"].encode(), secret=asked["secret"].encode())
    peer, sent = CurvePeer(asked["port"], pair, asked["server"].encode()), 0
    peer.sock.settimeout(WAIT_S)
    try:
        for _ in range(asked["mebibytes"] * 1024 * 1024 // PART):
            peer.sock.sendall(peer.part(bytes(PART), more=True))
            sent += PART
        while peer.sock.recv(4096):  # heartbeats of ZMTP, until the end of the connection
            pass
        cut = True
    except TimeoutError:
        cut = False
    except OSError:
        cut = True
    print(f"{sent / 1e6:.0f} MB sent, {'cut' if cut else 'not cut'}")
    return 0 if cut else 1


if __name__ == "__main__":
    sys.exit(main())
