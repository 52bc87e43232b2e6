"""A peer that speaks ZMTP 3.1 by hand and says what no ZeroMQ socket would: for tests of our own listening sockets.

It connects to loopback only, and everything it sends or holds is bounded by its caller's arguments.
"""

from __future__ import annotations

import itertools
import os
import random
import socket
import struct
from collections.abc import Iterable, Iterator

import numpy as np
from zmq.utils import z85

from support.curve_box import Box
from tiertwin.wire.keys import KeyPair

MORE, LARGE, COMMAND = 1, 2, 4
HOST = "127.0.0.1"
ANNOUNCED = 8 << 30
MESSAGE_NONCE = b"CurveZMQMESSAGEC"


def greeting(mechanism: bytes, major: int = 3, minor: int = 1) -> bytes:
    """The 64 bytes that open a ZMTP 3 connection."""
    return b"\xff" + bytes(8) + b"\x7f" + bytes([major, minor]) + mechanism.ljust(20, b"\0") + bytes(32)


def zmtp_frame(body: bytes, flags: int = 0) -> bytes:
    """One frame of ZMTP."""
    if len(body) > 255:
        return bytes([flags | LARGE]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def properties(identity: bytes) -> bytes:
    """What a DEALER announces of itself."""
    pairs = ((b"Socket-Type", b"DEALER"), (b"Identity", identity))
    return b"".join(bytes([len(k)]) + k + struct.pack(">I", len(v)) + v for k, v in pairs)


NULL_READY = zmtp_frame(b"\x05READY" + properties(b""), COMMAND)
OPENINGS = {
    "zmtp 1": b"\x01\x00",
    "zmtp 2": b"\xff" + bytes(8) + b"\x7f\x01\x05\x00\x00",
    "null": greeting(b"NULL") + NULL_READY,
    "plain": greeting(b"PLAIN") + zmtp_frame(b"\x05HELLO\x01a\x01b", COMMAND),
    "curve, then null": greeting(b"CURVE") + NULL_READY,
    "curve, then a message": greeting(b"CURVE") + zmtp_frame(b"TW" + bytes(38)),
    "half a greeting": greeting(b"CURVE")[:40],
    "nothing": b"",
}


def connected(port: int) -> socket.socket:
    """Return a TCP connection to a port of this host."""
    return socket.create_connection((HOST, port), timeout=20)


def is_cut(sock: socket.socket) -> bool:
    """Read until the other side ends the connection; False when it has not after 20 s."""
    try:
        while sock.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def garbage(port: int, connections: int, seed: int = 1) -> int:
    """Random bytes on many connections, one after the other; returns the bytes sent."""
    chance, sent = random.Random(seed), 0
    for _ in range(connections):
        with connected(port) as sock:
            noise = chance.randbytes(chance.randint(1, 2000))
            try:
                sock.sendall(noise)
                sent += len(noise)
            except OSError:  # cut already
                continue
    return sent


def half_open(port: int, connections: int) -> int:
    """Many connections that say nothing; returns how many were cut."""
    held = [connected(port) for _ in range(connections)]
    cut = sum(is_cut(sock) for sock in held)
    for sock in held:
        sock.close()
    return cut


def opening_is_cut(port: int, opening: bytes) -> bool:
    """Whether the server ends a connection that begins so."""
    with connected(port) as sock:
        sock.sendall(opening)
        return is_cut(sock)


def huge_frame(port: int, mebibytes: int) -> tuple[int, bool]:
    """Announce 8 GiB before any handshake; returns MiB taken by the server, and whether it cut."""
    with connected(port) as sock:
        taken = 0
        try:
            sock.sendall(greeting(b"CURVE") + bytes([LARGE]) + struct.pack(">Q", ANNOUNCED))
            for _ in range(mebibytes):
                sock.sendall(bytes(1 << 20))
                taken += 1
        except OSError:
            return taken, True
        return taken, is_cut(sock)


class CurvePeer:
    """A connection past a CURVE handshake (RFC 26, client side).

    Raises
    ------
    PermissionError
        The server did not let it in.
    """

    def __init__(self, port: int, keys: KeyPair, server_public: bytes, identity: bytes = b"") -> None:
        self.sock = connected(port)
        self._numbers = itertools.count(1)
        try:
            self._handshake(z85.decode(keys.secret), z85.decode(keys.public), z85.decode(server_public), identity)
        except BaseException:
            self.sock.close()
            raise

    def _handshake(self, secret: bytes, public: bytes, server: bytes, identity: bytes) -> None:
        short = KeyPair.fresh()
        short_secret, short_public = z85.decode(short.secret), z85.decode(short.public)
        to_server = Box(short_secret, server)
        self.sock.sendall(greeting(b"CURVE"))
        self._exactly(64)
        nonce = self._nonce()
        proof = to_server.seal(bytes(64), b"CurveZMQHELLO---" + nonce)
        self._command(b"\x05HELLO\x01\x00" + bytes(72) + short_public + nonce + proof)
        welcome = self._frame(b"\x07WELCOME")
        opened = to_server.open(welcome[24:], b"WELCOME-" + welcome[8:24])
        server_short, cookie = opened[:32], opened[32:]
        vouch_nonce = os.urandom(16)
        vouch = Box(secret, server_short).seal(short_public + server, b"VOUCH---" + vouch_nonce)
        self._box = Box(short_secret, server_short)
        nonce = self._nonce()
        content = public + vouch_nonce + vouch + properties(identity)
        self._command(b"\x08INITIATE" + cookie + nonce + self._box.seal(content, b"CurveZMQINITIATE" + nonce))
        self._frame(b"\x05READY")

    def _nonce(self) -> bytes:
        return struct.pack(">Q", next(self._numbers))

    def _command(self, body: bytes) -> None:
        self.sock.sendall(zmtp_frame(body, COMMAND))

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            chunk = self.sock.recv(count - len(found))
            if not chunk:
                raise PermissionError("cut in the handshake")
            found += chunk
        return found

    def _frame(self, expected: bytes) -> bytes:
        try:
            flags = self._exactly(1)[0]
            size = struct.unpack(">Q", self._exactly(8))[0] if flags & LARGE else self._exactly(1)[0]
            body = self._exactly(min(size, 4096))
        except OSError as error:
            raise PermissionError(f"cut in the handshake: {error}") from None
        if not body.startswith(expected):
            raise PermissionError(f"expected {expected!r}, got {body[:10]!r}")
        return body

    def part(self, body: bytes, *, more: bool = False) -> bytes:
        """The bytes on the wire of one part of a message."""
        nonce = self._nonce()
        return zmtp_frame(b"\x07MESSAGE" + nonce + self._box.seal(bytes([more]) + body, MESSAGE_NONCE + nonce))

    def send(self, body: bytes) -> None:
        """Send a message of one part."""
        self.sock.sendall(self.part(body))

    def send_parts(self, count: int) -> None:
        """Send one message of `count` parts of one byte."""
        for chunk in self._small_parts(count - 1):
            self.sock.sendall(chunk)
        self.sock.sendall(self.part(b"x"))

    def _small_parts(self, count: int) -> Iterator[bytes]:
        while count > 0:
            size = min(count, 20_000)
            numbers = np.array(list(itertools.islice(self._numbers, size)), np.uint64)
            sealed = self._box.seal_many(bytes([MORE]) + b"x", MESSAGE_NONCE, numbers)
            nonces = numbers.astype(">u8").tobytes()
            yield b"".join(_messages(nonces, sealed))
            count -= size

    def close(self) -> None:
        self.sock.close()


def _messages(nonces: bytes, sealed: Iterable[bytes]) -> Iterator[bytes]:
    for k, box in enumerate(sealed):
        yield zmtp_frame(b"\x07MESSAGE" + nonces[8 * k : 8 * k + 8] + box)
