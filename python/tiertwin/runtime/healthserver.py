"""The endpoint that says over HTTP whether a process is well and ready; only where it is asked for (`--health`)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tiertwin.runtime.httpserver import EVERYWHERE, LOOPBACK, Served

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.runtime.vitals import Health

NEVER_S = 1e9  # in place of infinity, which JSON has not


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
        self._health = health
        self._served = Served("health", EVERYWHERE if public else LOOPBACK, port, self._answer)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._served.port

    def __enter__(self) -> HealthServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._served.close()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        found, path = self._health(), str(environ.get("PATH_INFO", ""))
        asked = {"/healthz": found.well, "/readyz": found.ready}
        if path not in asked:
            return _said(start, "404 Not Found", {"error": f"expected /healthz or /readyz, got {path[:80]}"})
        said = {**asdict(found), "age_s": round(min(found.age_s, NEVER_S), 3), "well": found.well, "ready": found.ready}
        return _said(start, "200 OK" if asked[path] else "503 Service Unavailable", said)


def _said(start: Callable[..., Any], status: str, said: dict[str, Any]) -> list[bytes]:
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]
