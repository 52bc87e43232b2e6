"""What the endpoints of one process share: ZeroMQ's context, the door (ZAP), the poller. One loop thread owns it all.

    with WireContext(access, now_ns=…, now_s=…) as wire:
        endpoints = [NodeEndpoint(wire, …), …]
        while …:
            wire.tick(now_ns, now_s)
            for owner in wire.wait(timeout_ms): …         an endpoint, or what a descriptor was registered with

Close it: one that is merely forgotten waits for its sockets when it is collected. The ZAP responder is bound before any
other socket and lives in the same context: elsewhere libzmq would not find it.
"""

from __future__ import annotations

from _thread import get_ident  # the id alone: threads belong to the runtime
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from tiertwin.errors import WireError
from tiertwin.wire.access import Access
from tiertwin.wire.admission import HANDSHAKES_A_MINUTE, Admission
from tiertwin.wire.poller import Poller
from tiertwin.wire.sockets import make_context
from tiertwin.wire.zap import ZapResponder

if TYPE_CHECKING:
    from tiertwin.wire.zeromq import NodeEndpoint


class WireContext:
    """Context, door and poller of a process.

    Parameters
    ----------
    access
        Who may come in, at every node of this process.
    now_ns, now_s
        Monotonic and wall time; later ones come with `tick`. Nothing here reads a clock.
    handshakes_a_minute
        Limit a key (R29).

    Raises
    ------
    WireError
        libzmq is too old or has no CURVE.
    """

    def __init__(
        self, access: Access, *, now_ns: int, now_s: float, handshakes_a_minute: int = HANDSHAKES_A_MINUTE
    ) -> None:
        self._thread = get_ident()
        self.admission = Admission(access, handshakes_a_minute)
        self.context = make_context()
        self.zap = ZapResponder(self.context, self.admission)
        self.poller: Poller[object] = Poller()
        self.poller.add(self.zap.socket, self.zap)
        self._endpoints: list[NodeEndpoint] = []
        self._eventful: dict[NodeEndpoint, None] = {}  # with link events that nobody took
        self._open = True
        self.tick(now_ns, now_s)

    @property
    def now_ns(self) -> int:
        """Monotonic time of the last `tick`."""
        return self.admission.now_ns

    def tick(self, now_ns: int, now_s: float) -> None:
        """Take the time, once a turn of the loop.

        Raises
        ------
        WireError
            The ZAP responder is closed (R27): nobody can come in any more.
        """
        self.check_thread()
        self.admission.now_ns = now_ns
        self.admission.now_s = now_s
        if self.zap.socket.closed:
            raise WireError("The ZAP responder of this process is closed: nobody is admitted. Restart the process.")

    def wait(self, timeout_ms: float | None) -> list[object]:
        """Return who has something to do: endpoints and owners of descriptors. May return nothing before the time.

        Handshakes are judged in here, at the time of the last `tick`.
        """
        self.check_thread()
        owners = dict.fromkeys(self._eventful, None)
        ready = self.poller.wait(0 if owners else timeout_ms)
        if self.zap in ready:
            self.zap.answer()
            self.poller.used(self.zap.socket)
        return [*owners, *(owner for owner in ready if owner is not self.zap and owner not in owners)]

    def swap(self, access: Access) -> None:
        """Take another access table in one step; frames of keys that are gone are refused from now on."""
        self.check_thread()
        self.admission.swap(access)

    def prove(self, endpoints: Iterable[NodeEndpoint], clock_ns: Callable[[], int]) -> None:
        """Open `endpoints` and wait until all are shown to keep strangers out; the proofs run side by side.

        Raises
        ------
        WireError
            One is not (R28).
        """
        waiting = list(endpoints)
        for endpoint in waiting:
            endpoint.open(clock_ns())
        while waiting:
            self.wait(100)
            now_ns = clock_ns()
            self.tick(now_ns, self.admission.now_s)
            for endpoint in waiting:
                endpoint.tick(now_ns)
            waiting = [endpoint for endpoint in waiting if not endpoint.proven]

    def counters(self) -> dict[str, int]:
        """Return handshakes admitted, and refused by reason."""
        return {"admitted": self.admission.admitted, **self.admission.refused}

    def check_thread(self) -> None:
        """Assert that the thread which made this calls (R3): sockets used from two threads abort the process."""
        assert get_ident() == self._thread, "sockets belong to the thread that made them"

    # -- for endpoints -------------------------------------------------------------------------------------------------
    def joined(self, endpoint: NodeEndpoint) -> None:
        """Keep an endpoint, to close it in the end."""
        self._endpoints.append(endpoint)

    def left(self, endpoint: NodeEndpoint) -> None:
        """Forget an endpoint that was closed."""
        if endpoint in self._endpoints:
            self._endpoints.remove(endpoint)
        self._eventful.pop(endpoint, None)

    def eventful(self, endpoint: NodeEndpoint, *, some: bool) -> None:
        """Note whether an endpoint has link events to hand over."""
        if some:
            self._eventful[endpoint] = None
        else:
            self._eventful.pop(endpoint, None)

    # -- end -----------------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Close every socket, then the context; waits for nobody (R26). Twice is harmless."""
        if not self._open:
            return
        self.check_thread()
        self._open = False
        for endpoint in list(self._endpoints):
            endpoint.close()
        self.zap.close()
        self.poller.close()
        self.context.term()

    def __enter__(self) -> WireContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
