"""The in-memory network: order, delay, and the faults it makes."""

from __future__ import annotations

import pytest

from tiertwin.wire.memory import Faults, MemoryNetwork


def drained(network: MemoryNetwork) -> list[tuple[int, str, str, bytes]]:
    taken = []
    while network.next_time() is not None:
        taken.append(network.pop())
    return taken


def pair(seed: int, faults: Faults) -> MemoryNetwork:
    network = MemoryNetwork(seed, faults)
    network.endpoint("a")
    network.endpoint("b")
    return network


def test_frames_arrive_after_the_delay_in_order_of_sending() -> None:
    network = pair(1, Faults(delay=5))
    for k in range(3):
        network.send("a", "b", bytes([k]), now=10 + k)
    assert drained(network) == [(15 + k, "a", "b", bytes([k])) for k in range(3)]


def test_at_one_instant_the_earlier_registered_sender_comes_first() -> None:
    network = pair(1, Faults(delay=5))
    network.send("b", "a", b"late", now=0)
    network.send("a", "b", b"first", now=0)
    assert [frame for _, _, _, frame in drained(network)] == [b"first", b"late"]


@pytest.mark.parametrize("faults", [Faults(loss=0.3), Faults(duplicate=0.3), Faults(jitter=10**6, reorder=0.3)])
def test_fate_depends_on_seed_and_pair_only(faults: Faults) -> None:
    def fate(seed: int, others: bool) -> list[tuple[int, bytes]]:
        network = pair(seed, faults)
        network.endpoint("c")
        for k in range(400):
            network.send("a", "b", k.to_bytes(2, "little"), now=k)
            if others:
                network.send("c", "a", b"x", now=k)
        return [(at, frame) for at, sender, _, frame in drained(network) if sender == "a"]

    assert fate(3, others=False) == fate(3, others=True)
    assert fate(3, others=False) != fate(4, others=False)


def test_losses_come_at_the_asked_rate() -> None:
    network = pair(5, Faults(loss=0.2))
    for k in range(5_000):
        network.send("a", "b", b"x", now=k)
    assert 850 < network.dropped < 1_150
    assert len(drained(network)) == 5_000 - network.dropped


def test_duplicates_and_reordering_happen() -> None:
    network = pair(5, Faults(duplicate=0.5, jitter=1_000, reorder=0.2))
    for k in range(200):
        network.send("a", "b", k.to_bytes(2, "little"), now=k)
    frames = [frame for _, _, _, frame in drained(network)]
    assert len(frames) > 250
    assert frames != sorted(frames)
    assert len(set(frames)) == 200


def test_a_cut_drops_one_way_until_it_heals() -> None:
    network = pair(1, Faults(delay=1))
    network.cut("a", "b")
    network.send("a", "b", b"lost", now=0)
    network.send("b", "a", b"kept", now=0)
    network.heal("a", "b")
    network.send("a", "b", b"again", now=1)
    assert [frame for _, _, _, frame in drained(network)] == [b"kept", b"again"]


def test_a_name_is_registered_once_and_a_closed_endpoint_sends_nothing() -> None:
    network = pair(1, Faults())
    with pytest.raises(ValueError, match="'a', which is registered"):
        network.endpoint("a")
    endpoint = network.endpoint("c")
    endpoint.deliver("a", b"x")
    assert endpoint.receive() == [("a", b"x")]
    assert endpoint.receive() == []
    endpoint.close()
    endpoint.close()
    with pytest.raises(ValueError, match="closed"):
        endpoint.send("a", b"x")
