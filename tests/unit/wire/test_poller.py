"""The poller: sockets and descriptors in order of registration, and no signal lost."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import zmq

from tiertwin.wire.poller import Poller

Pair = tuple["zmq.Socket[bytes]", "zmq.Socket[bytes]"]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    with zmq.Context() as context:
        made = []
        for k in range(3):
            a, b = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
            a.bind(f"inproc://{k}")
            b.connect(f"inproc://{k}")
            made.append((a, b))
        yield made
        for pair in made:
            for socket in pair:
                socket.close(0)


@pytest.fixture
def poller() -> Iterator[Poller[str]]:
    made: Poller[str] = Poller()
    yield made
    made.close()


def test_owners_come_in_order_of_registration_once_each(pairs: list[Pair], poller: Poller[str]) -> None:
    for k, owner in ((2, "last is first"), (0, "two"), (1, "two")):
        poller.add(pairs[k][0], owner)
    assert poller.wait(0) == []
    for _, b in pairs:
        b.send(b"x")
    assert poller.wait(1000) == ["last is first", "two"]


def test_what_is_left_unread_is_told_again(pairs: list[Pair], poller: Poller[str]) -> None:
    a, b = pairs[0]
    poller.add(a, "a")
    b.send(b"1")
    b.send(b"2")
    for _ in range(3):
        assert poller.wait(1000) == ["a"]
    a.recv()
    poller.used(a)
    assert poller.wait(0) == ["a"]
    a.recv()
    poller.used(a)
    assert poller.wait(0) == []


def test_a_signal_used_up_by_a_send_is_not_lost(pairs: list[Pair], poller: Poller[str]) -> None:
    """Any call on a socket takes its signals in; the kernel has nothing more to tell then."""
    a, b = pairs[0]
    poller.add(a, "a")
    assert poller.wait(0) == []
    for k in range(200):
        b.send(b"%d" % k)
        a.send(b"back")
        poller.used(a)
        assert poller.wait(1000) == ["a"]
        a.recv()
        poller.used(a)
        assert poller.wait(0) == []


def test_descriptors_beside_sockets(pairs: list[Pair], poller: Poller[str]) -> None:
    out, into = os.pipe()
    poller.add(pairs[0][0], "socket")
    poller.add_file(out, "pipe")
    os.write(into, b"x")
    pairs[0][1].send(b"x")
    assert poller.wait(None) == ["socket", "pipe"]
    pairs[0][0].recv()
    poller.used(pairs[0][0])
    assert poller.wait(1000) == ["pipe"]
    poller.remove_file(out)
    assert poller.wait(0) == []
    os.close(out)
    os.close(into)


def test_removed_sockets_are_silent_and_unknown_ones_no_error(pairs: list[Pair], poller: Poller[str]) -> None:
    a, b = pairs[0]
    poller.add(a, "a")
    b.send(b"x")
    poller.remove(a)
    poller.remove(a)
    poller.remove_file(99)
    poller.used(a)
    assert poller.wait(0) == []
