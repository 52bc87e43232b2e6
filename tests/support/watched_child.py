"""A child process as the launcher starts it, watched: ``python watched_child.py FOLDER [NAMESPACE PROCESS]``.

Into FOLDER go, as ``PID.jsonl``, what each session with another process holds whenever that changes (real clock), and
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
from tiertwin.runtime.chaos.child import spoil
from tiertwin.runtime.chaos.network import enter, file_of

HANG_S = 4.0
DIED = 9


def watch(folder: Path, process: str) -> None:
    """Have the host write what its sessions hold."""
    from tiertwin.runtime.livehost import LiveHost

    turn = LiveHost.turn
    seen: dict[tuple[str, str], Any] = {}
    out = (folder / f"{os.getpid()}.jsonl").open("ab", buffering=0)

    def watched(self: LiveHost, now: int) -> int | None:
        ended = turn(self, now)
        lines = []
        for name, twin in self.twins.items():
            for neighbour in twin.neighbours.values():
                if neighbour.name in self.twins:
                    continue
                peer = neighbour.peer
                key = (peer.state, peer.cursor, peer.last, peer.peer_stream_id, peer.durable_out, peer.peer_health)
                if seen.get((name, neighbour.name)) == key:
                    continue
                seen[name, neighbour.name] = key
                lines.append(
                    {
                        "process": process,
                        "node": name,
                        "peer": neighbour.name,
                        "at": now,
                        "state": peer.state,
                        "live": neighbour.live,
                        "attached": peer.attached,
                        "in": [peer.peer_stream_id, peer.cursor, peer.in_digest],
                        "out": [peer.stream_id, peer.last, peer.out_digest],
                        "durable": [peer.stream_id, peer.durable_out, peer.at_root_out],
                        "health": peer.peer_health,
                        "term": peer.term,
                        "alarms": peer.counters()["alarms.digest"],
                    }
                )
        if lines:
            out.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        return ended

    LiveHost.turn = watched  # type: ignore[method-assign]


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
            watch(folder, config.process)
            spoil(folder)
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
