"""The endpoint that says over HTTP whether a process is well and ready; only where it is asked for (`--health`)."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.runtime.vitals import Health

REQUEST_S = 2.0  # timeout `request`: of a client that says nothing
POLL_S = 0.1
NEVER_S = 1e9  # in place of infinity, which JSON has not
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104  the second only where it is asked for in words


class HealthServer:
    """``/healthz`` and ``/readyz``: 200 if well, or ready, else 503; the body says why. A context manager.

    Parameters
    ----------
    port
        0: the system chooses.
    health
        Asked for each request, from a thread of the server.
    public
        Listen on all interfaces instead of loopback. Names of nodes are all there is to learn.

    Raises
    ------
    InputError
        The port is taken, or may not be used.
    """

    def __init__(self, port: int, health: Callable[[], Health], *, public: bool = False) -> None:
        host = EVERYWHERE if public else LOOPBACK
        try:
            self._server = _Server((host, port), _Handler)
        except OSError as error:
            raise InputError(
                f"--health: cannot listen on {host}:{port}: {error.strerror} "
                f"(`ss -ltnp 'sport = :{port}'` names who does). Choose another port; 0 takes a free one."
            ) from None
        self._server.health = health
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), name="health", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> HealthServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    health: Callable[[], Health]


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_S
    server: _Server

    def do_GET(self) -> None:
        """Answer a probe."""
        found = self.server.health()
        asked = {"/healthz": found.well, "/readyz": found.ready}
        if self.path not in asked:
            self._answer(404, {"error": f"expected /healthz or /readyz, got {self.path[:80]}"})
            return
        said = {**asdict(found), "age_s": round(min(found.age_s, NEVER_S), 3), "well": found.well, "ready": found.ready}
        self._answer(200 if asked[self.path] else 503, said)

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody wants a line a probe."""
