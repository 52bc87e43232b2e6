"""What solvers print goes to standard error, so that standard output holds our answer alone."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def solvers_aside() -> Iterator[None]:
    """While this is open, whatever writes to file descriptor 1 (HiGHS says who it is) reaches descriptor 2 instead.

    Not for threads that print meanwhile; the buffers of the C library are emptied before the way back.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
