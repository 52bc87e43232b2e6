"""Traces as files of any length: made while they are read, so that no test needs a large one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO


class GeneratedFile:
    """A binary file whose bytes come from a generator; at most one piece is in memory."""

    def __init__(self, pieces: Iterable[bytes], name: str = "generated") -> None:
        self.name = name
        self.served = 0
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        out, self._rest = self._rest[:size], self._rest[size:]
        self.served += len(out)
        return out

    def readline(self, size: int) -> bytes:
        while b"\n" not in self._rest and len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        end = self._rest.find(b"\n") + 1 or len(self._rest)
        return self.read(min(end, size))


def fcd(steps: int, users: int) -> Iterator[bytes]:
    """SUMO's FCD: user u drives east at 1 m/s from x = 10 u, y = u."""
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- by SUMO -->\n<fcd-export>\n'
    for k in range(steps):
        rows = "".join(
            f'<vehicle id="v{u}" x="{10 * u + k}" y="{u}" angle="90" type="car" speed="1.00" pos="5" lane="l_0"/>\n'
            for u in range(users)
        )
        yield f'<timestep time="{k:.2f}">\n{rows}</timestep>\n'.encode()
    yield b"</fcd-export>\n"


def named(text: str, name: str = "trace") -> BytesIO:
    """A small file with a name for messages."""
    file = BytesIO(text.encode())
    file.name = name  # type: ignore[misc]
    return file
