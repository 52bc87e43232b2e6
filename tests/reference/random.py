"""Philox 4x32-10 word by word, in Python integers."""

from __future__ import annotations

MASK = 0xFFFFFFFF
Block = tuple[int, int, int, int]


def philox4x32(counter: Block, key: tuple[int, int]) -> Block:
    """Ten rounds of Salmon et al. (SC 2011), table 2."""
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = ((p1 >> 32) ^ counter[1] ^ k0, p1 & MASK, (p0 >> 32) ^ counter[3] ^ k1, p0 & MASK)
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return counter


def words(seed: int, entity: int, purpose: int, count: int) -> list[int]:
    """The first `count` words of a stream: key = seed, counter = (block, purpose, entity low, entity high)."""
    found: list[int] = []
    for block in range(-(-count // 4)):
        found += philox4x32((block, purpose, entity & MASK, entity >> 32), (seed & MASK, seed >> 32))
    return found[:count]


def uniforms(seed: int, entity: int, purpose: int, count: int) -> list[float]:
    """53 bits of two words each: 27 of the first above 26 of the second."""
    raw = words(seed, entity, purpose, 2 * count)
    return [((raw[2 * i] >> 5) * 2**26 + (raw[2 * i + 1] >> 6)) / 2**53 for i in range(count)]
