"""A world that went through a file is the world that went in."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from support.inprocess import world_of
from tiertwin.errors import InputError
from tiertwin.world.stored import store_world, stored_world


@pytest.mark.parametrize("name", ["metro", "germany50"])
def test_every_field_comes_back(tmp_path: Path, name: str) -> None:
    world = world_of(name)
    store_world(world, tmp_path / "world.npy")
    back = stored_world(tmp_path / "world.npy")
    assert back.scenario is None
    for field in fields(world):
        if field.name == "scenario":
            continue
        a, b = getattr(world, field.name), getattr(back, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            assert np.array_equal(a, b), field.name
            assert not b.flags.writeable
        elif isinstance(a, tuple) and a and isinstance(a[0], np.ndarray):
            assert len(a) == len(b)
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)), field.name
        else:
            assert a == b, field.name


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no world at all"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "world.npy"
    path.write_bytes(content)
    with pytest.raises(InputError, match="world.npy"):
        stored_world(path)
    with pytest.raises(InputError, match="absent"):
        stored_world(tmp_path / "absent.npy")
