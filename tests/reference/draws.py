"""The plant's random numbers, naively: a block of Philox by seed, entity, purpose and number."""

from __future__ import annotations

import math

MASK = 0xFFFFFFFF
ARRIVAL, SIZE, ONOFF, DEVICE, DEVICE_REPORT, SERVER, SERVER_REPORT, LINK, LINK_REPORT = range(0x504C0001, 0x504C000A)


def philox(seed: int, entity: int, purpose: int, number: int) -> list[int]:
    """Return one block of Philox 4x32-10."""
    k0, k1 = seed & MASK, seed >> 32
    c = [number & MASK, purpose, entity & MASK, entity >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & MASK, (p0 >> 32) ^ c[3] ^ k1, p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c


def uniform(high: int, low: int) -> float:
    """Return a uniform on [0, 1) from two words."""
    return float(((high >> 5) << 26) | (low >> 6)) * 2.0**-53


def exponential(high: int, low: int) -> float:
    """Return an exponential of mean 1 from two words."""
    return -math.log(1.0 - uniform(high, low))
