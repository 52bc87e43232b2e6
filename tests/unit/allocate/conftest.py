"""What solves leaves and master problems in these tests, one of each a module."""

from __future__ import annotations

import pytest

from tiertwin.allocate.hierarchy import AllocatorSolver
from tiertwin.allocate.kernel import KernelAllocator
from tiertwin.allocate.master import Masters


@pytest.fixture(scope="module")
def masters():
    return Masters()


@pytest.fixture(scope="module")
def solver():
    return AllocatorSolver(KernelAllocator())
