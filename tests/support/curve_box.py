"""crypto_box as CurveZMQ uses it (X25519, XSalsa20, Poly1305), in numpy and integers: for hostile peers in tests only.

Slow and not constant in time. That it is right shows in libzmq taking its handshakes.
"""

from __future__ import annotations

import numpy as np

P = 2**255 - 19
SIGMA = np.frombuffer(b"expand 32-byte k", dtype="<u4")
ROUNDS = (
    (4, 0, 12, 7), (8, 4, 0, 9), (12, 8, 4, 13), (0, 12, 8, 18), (9, 5, 1, 7), (13, 9, 5, 9), (1, 13, 9, 13),
    (5, 1, 13, 18), (14, 10, 6, 7), (2, 14, 10, 9), (6, 2, 14, 13), (10, 6, 2, 18), (3, 15, 11, 7), (7, 3, 15, 9),
    (11, 7, 3, 13), (15, 11, 7, 18), (1, 0, 3, 7), (2, 1, 0, 9), (3, 2, 1, 13), (0, 3, 2, 18), (6, 5, 4, 7),
    (7, 6, 5, 9), (4, 7, 6, 13), (5, 4, 7, 18), (11, 10, 9, 7), (8, 11, 10, 9), (9, 8, 11, 13), (10, 9, 8, 18),
    (12, 15, 14, 7), (13, 12, 15, 9), (14, 13, 12, 13), (15, 14, 13, 18),
)  # fmt: skip


def x25519(secret: bytes, point: bytes) -> bytes:
    """RFC 7748, section 5."""
    k = int.from_bytes(secret, "little") & ~7 & (2**255 - 1) | 2**254
    u = int.from_bytes(point, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def _mixed(state: np.ndarray) -> np.ndarray:
    x = state.copy()
    for _ in range(10):
        for to, a, b, turn in ROUNDS:
            s = x[a] + x[b]
            x[to] ^= s << np.uint32(turn) | s >> np.uint32(32 - turn)
    return x


def _state(key: bytes, ins: np.ndarray) -> np.ndarray:
    """(16, n) words; `ins` is (4, n): nonce and block counter, or a 16-byte input."""
    k = np.frombuffer(key, dtype="<u4")
    state = np.empty((16, ins.shape[1]), np.uint32)
    state[[0, 5, 10, 15]] = SIGMA[:, None]
    state[1:5], state[11:15], state[6:10] = k[:4, None], k[4:, None], ins
    return state


def hsalsa20(key: bytes, block: bytes) -> bytes:
    """Derive a key from a key and 16 bytes."""
    mixed = _mixed(_state(key, np.frombuffer(block, dtype="<u4")[:, None]))[:, 0]
    return bytes(mixed[[0, 5, 10, 15, 6, 7, 8, 9]].astype("<u4").tobytes())


def _stream(key: bytes, ins: np.ndarray) -> np.ndarray:
    """Return (n, 64) bytes of key stream."""
    state = _state(key, ins)
    return np.ascontiguousarray((_mixed(state) + state).T.astype("<u4")).view(np.uint8)


def _tag(key: bytes, text: bytes) -> bytes:
    """Poly1305."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(text), 16):
        total = (total + int.from_bytes(text[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:32], "little")) % 2**128).to_bytes(16, "little")


class Box:
    """What two key pairs share."""

    def __init__(self, secret: bytes, public: bytes) -> None:
        self._key = hsalsa20(x25519(secret, public), bytes(16))

    def seal(self, message: bytes, nonce: bytes) -> bytes:
        """Return tag and ciphertext; the nonce has 24 bytes."""
        blocks = (len(message) + 95) // 64
        ins = np.zeros((4, blocks), np.uint32)
        ins[:2] = np.frombuffer(nonce[16:], dtype="<u4")[:, None]
        ins[2] = np.arange(blocks)
        stream = _stream(hsalsa20(self._key, nonce[:16]), ins).reshape(-1)
        cipher = (np.frombuffer(message, np.uint8) ^ stream[32 : 32 + len(message)]).tobytes()
        return _tag(stream[:32].tobytes(), cipher) + cipher

    def open(self, sealed: bytes, nonce: bytes) -> bytes:
        """Return the message; ValueError when it is not of the other side."""
        message = self.seal(sealed[16:], nonce)[16:]
        if self.seal(message, nonce) != sealed:
            raise ValueError("not sealed by the other side")
        return message

    def seal_many(self, message: bytes, prefix: bytes, counters: np.ndarray) -> list[bytes]:
        """Seal one short message (at most 32 bytes) under nonces prefix + counter (big-endian), all at once."""
        ins = np.zeros((4, len(counters)), np.uint32)
        ins[:2] = counters.astype(">u8").view("<u4").reshape(-1, 2).T
        stream = _stream(hsalsa20(self._key, prefix), ins)
        ciphers = stream[:, 32 : 32 + len(message)] ^ np.frombuffer(message, np.uint8)
        keys = np.ascontiguousarray(stream[:, :32])
        return [
            _tag(key.tobytes(), cipher) + cipher
            for key, cipher in zip(keys, map(bytes, np.ascontiguousarray(ciphers)), strict=True)
        ]
