"""What a process of the tree wants to find in its environment; imports nothing, so that it can be set before NumPy."""

from __future__ import annotations

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
