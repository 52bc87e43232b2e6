"""A child process as the launcher starts it, watched: ``python watched_child.py FOLDER [NAMESPACE PROCESS]``.

Into FOLDER go, as ``PID-K.jsonl``, what each session with another process holds whenever that changes (real clock), and
as ``PID.end`` what was imported and the memory used. SIGUSR2 hangs the loop for some seconds: the thread that does the
work stands, libzmq's own threads go on. Where FOLDER has a file ``NAME.dies``, process NAME ends as it starts. PROCESS
is put into a network NAMESPACE, where it listens on that one's own loopback. Where FOLDER has NODE.full or NODE.eio,
the disk of that node's log has no room, or fails. The product knows nothing of this.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from tiertwin.runtime import child
from tiertwin.runtime.chaos import child as chaos
from tiertwin.runtime.chaos.network import enter, file_of

HANG_S = 4.0
DIED = 9


def held(neighbour: Any) -> tuple[Any, ...]:
    """What a line is written for when it changes."""
    return (*chaos.held(neighbour), neighbour.peer.peer_health)


def session(neighbour: Any) -> dict[str, Any]:
    """What a line says of a session."""
    peer = neighbour.peer
    return chaos.session(neighbour) | {
        "live": neighbour.live,
        "attached": peer.attached,
        "durable": [peer.stream_id, peer.durable_out, peer.at_root_out],
        "health": peer.peer_health,
    }


def main() -> int:
    """Run the child as it is, watched."""
    folder = Path(sys.argv[1])
    wanted = child.role_of
    names = []

    def role_of(config: Any) -> Any:
        names.append(config.process)
        if (folder / f"{config.process}.dies").exists():
            os._exit(DIED)
        if config.twins is not None and config.twins.live is not None:
            chaos.watch(folder, config.process, held, session)
            chaos.spoil(folder)
        if sys.argv[3:] == [config.process]:
            enter(file_of(sys.argv[2]))
            config = msgspec.structs.replace(config, twins=msgspec.structs.replace(config.twins, bind="127.0.0.1"))
        run = wanted(config)
        return lambda _, pipe: run(config, pipe)

    child.role_of = role_of
    signal.signal(signal.SIGUSR2, lambda *_: time.sleep(HANG_S))
    status = child.main()
    from tiertwin.runtime.memory import high_water_mb

    end = {"process": names[0] if names else "", "modules": sorted(sys.modules), "peak_mb": high_water_mb()}
    (folder / f"{os.getpid()}.end").write_bytes(msgspec.json.encode(end))
    return status


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)
