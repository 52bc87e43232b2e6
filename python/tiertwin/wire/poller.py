"""Waiting for sockets and plain descriptors at once, at a cost that does not grow with their number.

`zmq_poll` looks at every socket on every call (1.2 µs each; a process may hold 200). Here the kernel watches the
descriptor that each ZeroMQ socket has for signals. That descriptor is edge-triggered: a signal is used up by any call
on the socket, so a socket that was used is *hot* and asked for its state before anybody waits.
"""

from __future__ import annotations

import selectors
from typing import Generic, TypeVar

import zmq

from tiertwin.wire.sockets import Socket, is_readable

Owner = TypeVar("Owner")


class Poller(Generic[Owner]):
    """Tells the owners of what is readable, in the order in which they were registered. One thread uses it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[int, tuple[Socket, int, Owner]] = {}  # by descriptor; with the order
        self._by_socket: dict[Socket, int] = {}
        self._files: dict[int, tuple[int, Owner]] = {}
        self._hot: set[int] = set()
        self._order = 0

    def add(self, socket: Socket, owner: Owner) -> None:
        """Watch a ZeroMQ socket."""
        fd = int(socket.getsockopt(zmq.FD))
        self._order += 1
        self._sockets[fd] = (socket, self._order, owner)
        self._by_socket[socket] = fd
        self._selector.register(fd, selectors.EVENT_READ)
        self._hot.add(fd)

    def add_file(self, fd: int, owner: Owner) -> None:
        """Watch a pipe, an eventfd or a listening descriptor for something to read."""
        self._order += 1
        self._files[fd] = (self._order, owner)
        self._selector.register(fd, selectors.EVENT_READ)

    def remove(self, socket: Socket) -> None:
        """Stop watching a socket; before it is closed. Unknown ones are no error."""
        fd = self._by_socket.pop(socket, None)
        if fd is not None:
            self._selector.unregister(fd)
            del self._sockets[fd]
            self._hot.discard(fd)

    def remove_file(self, fd: int) -> None:
        """Stop watching a descriptor; before it is closed."""
        if self._files.pop(fd, None) is not None:
            self._selector.unregister(fd)

    def used(self, socket: Socket) -> None:
        """Tell that something was sent on or received from `socket`: its signal may be used up."""
        fd = self._by_socket.get(socket)
        if fd is not None:
            self._hot.add(fd)

    def wait(self, timeout_ms: float | None) -> list[Owner]:
        """Return the owners of what is readable, each once; at most `timeout_ms` later (None: as long as it takes)."""
        ready = self._readable(self._hot)
        timeout = 0.0 if ready else None if timeout_ms is None else max(0.0, timeout_ms) / 1000
        woken = [key.fd for key, _ in self._selector.select(timeout)]
        ready |= self._readable({fd for fd in woken if fd in self._sockets} - set(ready))
        ready |= {fd: self._files[fd] for fd in woken if fd in self._files}
        owners: dict[int, Owner] = {}
        for _, owner in sorted(ready.values(), key=lambda pair: pair[0]):
            owners.setdefault(id(owner), owner)
        return list(owners.values())

    def _readable(self, fds: set[int]) -> dict[int, tuple[int, Owner]]:
        """Ask sockets for their state: the readable ones stay hot, the others wait for a signal."""
        found = {}
        for fd in fds:
            socket, order, owner = self._sockets[fd]
            if is_readable(socket):
                found[fd] = (order, owner)
        self._hot = (self._hot - fds) | found.keys()
        return found

    def close(self) -> None:
        """Release the selector; the sockets belong to others."""
        self._selector.close()
        self._sockets.clear()
        self._by_socket.clear()
        self._files.clear()
        self._hot.clear()
