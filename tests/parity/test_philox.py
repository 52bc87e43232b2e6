"""Keyed random numbers: published vectors, and the naive Python version."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reference.random import philox4x32, uniforms
from tiertwin import _core

U64 = st.integers(0, 2**64 - 1)
ONES = 0xFFFFFFFF


def test_reference_gives_the_known_answers_of_random123() -> None:
    assert philox4x32((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox4x32((ONES,) * 4, (ONES,) * 2) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    pi = philox4x32((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0))
    assert pi == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


@given(seed=U64, entity=U64, purpose=st.integers(0, 2**32 - 1), count=st.integers(0, 20))
def test_philox_equals_the_reference(seed: int, entity: int, purpose: int, count: int) -> None:
    got = _core.philox(seed, entity, purpose, count)
    assert got.dtype == np.float64
    assert got.tolist() == uniforms(seed, entity, purpose, count)


@given(seed=U64, entity=U64, purpose=st.integers(0, 2**32 - 1))
def test_a_longer_draw_begins_with_the_shorter_one(seed: int, entity: int, purpose: int) -> None:
    assert np.array_equal(_core.philox(seed, entity, purpose, 9)[:5], _core.philox(seed, entity, purpose, 5))


def test_uniforms_are_in_range_and_even() -> None:
    draw = _core.philox(3, 1, 4, 100_000)
    assert draw.min() >= 0.0
    assert draw.max() < 1.0
    counts = np.histogram(draw, bins=10, range=(0, 1))[0]
    assert np.abs(counts - 10_000).max() < 5 * np.sqrt(10_000 * 0.9)
