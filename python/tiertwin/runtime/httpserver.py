"""A small HTTP server beside a process: a thread a request, few at once, each with a deadline; a WSGI app answers."""

from __future__ import annotations

import socket
import threading
import time
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104  the second only where it is asked for in words
REQUEST_S = 5.0  # timeout `request`: one that takes longer is cut off
MOST_REQUESTS = 8  # at once; one more is hung up on
POLL_S = 0.1


class Served:
    """An app at an address; listens from the start, and leaves neither thread nor socket behind.

    Parameters
    ----------
    option
        Of the command line, without its dashes: for the thread's name and the error.
    host, port
        Where to listen; port 0: the system chooses.
    app
        WSGI.

    Raises
    ------
    InputError
        The port is taken, or may not be used.
    """

    def __init__(self, option: str, host: str, port: int, app: Callable[..., Iterable[bytes]]) -> None:
        try:
            self._server = _Server((host, port), _Handler)
        except OSError as error:
            raise InputError(
                f"--{option}: cannot listen on {host}:{port}: {error.strerror} "
                f"(`ss -ltnp 'sport = :{port}'` names who does). Choose another port; 0 takes a free one."
            ) from None
        self._server.set_app(app)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), name=option, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def close(self) -> None:
        """Stop serving. Twice is harmless."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a request, few at once, each with a deadline; hears nothing of who breaks off."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self._open: dict[Any, float] = {}
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if len(self._open) >= MOST_REQUESTS:
            self.shutdown_request(request)
            return
        self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off what takes too long: twice a poll at most after its time."""
        self._cut_off(time.monotonic() - REQUEST_S)

    def server_close(self) -> None:
        self._cut_off(time.monotonic())
        super().server_close()

    def _cut_off(self, before: float) -> None:
        for request, began in list(self._open.items()):
            if began <= before:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it ended by itself

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever breaks off, breaks off."""


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_S

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
