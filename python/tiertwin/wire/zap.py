"""libzmq's question who may come in (RFC 27), answered on the loop thread; and the proof at start that it is asked.

Whatever goes wrong inside, the answer is a refusal: an exception neither admits a peer nor stops the responder (R27).
pyzmq's own authenticator is not used: one exception in its callback ends its thread for good.
"""

from __future__ import annotations

import struct

import zmq
from zmq.utils import z85

from tiertwin.errors import WireError
from tiertwin.wire.admission import Admission
from tiertwin.wire.keys import KeyPair
from tiertwin.wire.sockets import ZAP_DOMAIN, Context, close_watched, is_readable, make_dealer, make_zap

PROOF_NS = 5_000_000_000
_EVENT = struct.Struct("=hi")  # not by zmq.utils.monitor, which brings asyncio: 6 MB a process
ANSWERS = 64  # a turn of the loop: a crowd at the door must not keep frames waiting


class ZapResponder:
    """Answers from `admission`, on the thread that calls `answer`."""

    def __init__(self, context: Context, admission: Admission) -> None:
        self.socket = make_zap(context)
        self._admission = admission

    def answer(self) -> None:
        """Answer the requests that wait, at most `ANSWERS` of them."""
        for _ in range(ANSWERS):
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._answer(frames)

    def _answer(self, frames: list[bytes]) -> None:
        if b"" not in frames:
            return self._admission.refuse("R27 malformed request")
        split = frames.index(b"") + 1  # return path and empty delimiter come first
        envelope, request = frames[:split], frames[split:]
        status, user = self._judge(request)
        request_id = request[1] if len(request) > 1 else b""
        try:
            self.socket.send_multipart([*envelope, b"1.0", request_id, status, b"", user, b""], zmq.DONTWAIT)
        except zmq.ZMQError:  # no answer is a refusal too
            self._admission.refuse("R27 answer not sent")
        return None

    def _judge(self, request: list[bytes]) -> tuple[bytes, bytes]:
        """Return status and User-Id, which libzmq attaches to every frame of the connection (R37)."""
        try:
            if len(request) != 7 or request[0] != b"1.0":
                self._admission.refuse("R27 malformed request")
                return b"400", b""
            domain, address, mechanism, key = request[2], request[3], request[5], request[6]
            if domain != ZAP_DOMAIN.encode() or mechanism != b"CURVE" or len(key) != 32:
                self._admission.refuse("R27 other domain or mechanism", address.decode("ascii", "replace"))
                return b"400", b""
            public = z85.encode(key)
            grant = self._admission.knock(public.decode("ascii"), address.decode("ascii", "replace"))
            return (b"400", b"") if grant is None else (b"200", public)
        except Exception:
            self._admission.refuse("R27 error in the judgement")
            return b"500", b""

    def close(self) -> None:
        """Release the socket: from now on nobody comes in."""
        self.socket.close(0)


class Proof:
    """That a listening socket keeps strangers out, shown by being one (R28).

    Connects with a fresh key that nobody listed. It holds when libzmq refused it *and* the responder saw the key;
    until then the ROUTER is not served.

    Parameters
    ----------
    address, server_public
        Where the ROUTER listens, and its key.
    node
        For the message.
    """

    def __init__(
        self, context: Context, admission: Admission, address: str, server_public: bytes, node: str, now_ns: int
    ) -> None:
        keys = KeyPair.fresh()
        self._key = keys.public.decode()
        self._admission = admission
        self._who = f"Start-up proof of node {node!r} at {address}"
        self._until = now_ns + PROOF_NS
        admission.proofs[self._key] = False
        self.socket, self.monitor = make_dealer(context, keys, address, server_public)
        self._refused = False

    def step(self, now_ns: int) -> bool:
        """Return whether it is done; never waits.

        Raises
        ------
        WireError
            A stranger came in, or the responder was not asked: the node must not start.
        """
        while is_readable(self.monitor):
            self._heard(_EVENT.unpack(self.monitor.recv_multipart()[0])[0])
        if self._refused and self._admission.proofs[self._key]:
            return True
        if now_ns >= self._until:
            seen = "saw its key" if self._admission.proofs[self._key] else "was not asked about its key"
            told = "was refused" if self._refused else "was not refused"
            raise WireError(
                f"{self._who}: an unlisted key {told} and the responder {seen} within {PROOF_NS // 10**9} s. "
                "Strangers may not be kept out here, so it does not serve. Is the address reachable from this host?"
            )
        return False

    def _heard(self, event: int) -> None:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            raise WireError(
                f"{self._who}: an unlisted key was let in. Nothing is served like this. Was libzmq replaced, or the "
                "ROUTER made elsewhere than in wire/sockets.py?"
            )
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self._refused = True

    def close(self) -> None:
        """Release its sockets; harmless when repeated."""
        self._admission.proofs.pop(self._key, None)
        close_watched(self.socket, self.monitor)
