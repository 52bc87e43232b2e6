"""How true is the twin? Its performance model against packets, over topologies, loads, sizes and traffic.

For each scene the packet plant plays the truth (twice, see `packet_truth`). The model predicts it from rates, paths and
size laws alone (*nominal*), and again after it saw one window of telemetry played with seeds of its own (*calibrated*).
With ns-3, the same arrivals go through ns-3 as well: every packet's delay is compared with the plant's, and the twin
with ns-3's means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.performance import (
    NINETY_PERCENT,
    Observed,
    PathFlows,
    PathLinks,
    PerformanceModel,
    Prediction,
    on_off,
)
from tiertwin.plant.packets import UNLIMITED, PacketPlant
from tiertwin.study.changes import changes, link_loads
from tiertwin.study.packet_truth import SECOND, Network, Truth, fixed_delays, play, sizes_of, truth, waits_of
from tiertwin.study.scenes import MEAN_BYTES, scene
from tiertwin.study.textbook import Answer, Textbook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.study.ns3 import Ns3

    F64 = NDArray[np.float64]

RULES, SIZES, TRAFFIC = ("common", "each"), tuple(MEAN_BYTES), ("poisson", "on-off")
ON_S, OFF_S = 0.05, 0.05  # of bursty flows: twice the mean rate half of the time
LEAST_CHANGE = 0.02  # of a mean delay: whose sign is asked for
WINDOW_SEED = 1_000  # what the calibration sees is drawn with seeds far from those of the truth


@dataclass(frozen=True)
class Wanted:
    """What to study.

    Parameters
    ----------
    topologies
        topohub names.
    loads
        Of the busiest link, (0, 1).
    rules, sizes, traffic
        Any of `RULES`, `SIZES`, `TRAFFIC`.
    flows
        Random pairs a scene.
    buffer
        Packets that may wait at a link; None: any number.
    seconds, window_s
        Length of each of the two runs of the truth, and of the window that calibration sees, modelled s.
    seed
        Of the pairs and of all draws.
    signs
        Also ask for the direction of changes, each of which is a truth of its own.
    """

    topologies: Sequence[str]
    loads: Sequence[float] = (0.3, 0.6, 0.8, 0.9)
    rules: Sequence[str] = RULES
    sizes: Sequence[str] = SIZES
    traffic: Sequence[str] = ("poisson",)
    flows: int = 1000
    buffer: int | None = None
    seconds: float = 300.0
    window_s: float = 100.0
    seed: int = 1
    signs: bool = True

    def check(self) -> None:
        """Raise InputError naming everything that cannot be."""
        problems = [f"loads: expected numbers in (0, 1), got {x:g}" for x in self.loads if not 0.0 < x < 1.0]
        for name, known in (("rules", RULES), ("sizes", SIZES), ("traffic", TRAFFIC)):
            given = getattr(self, name)
            problems += [f"{name}: expected {', '.join(known)}, got {word!r}" for word in given if word not in known]
            problems += [] if given else [f"{name}: expected at least one of {', '.join(known)}"]
        for name in ("topologies", "loads"):
            problems += [] if getattr(self, name) else [f"{name}: expected at least one"]
        for name, least in (("flows", 1), ("seconds", 1.0), ("window_s", 1.0), ("buffer", 0)):
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                problems.append(f"{name}: expected at least {least:g}, got {value:g}")
        if problems:
            raise InputError(problems)


def scenes_of(wanted: Wanted) -> Iterator[tuple[dict[str, Any], Network]]:
    """Yield every scene that is wanted, with what names it."""
    for topology in wanted.topologies:
        for traffic in wanted.traffic:
            for rule in wanted.rules:
                for size in wanted.sizes:
                    for load in wanted.loads:
                        bursty = {"arrival": "on-off", "on_s": ON_S, "off_s": OFF_S} if traffic == "on-off" else {}
                        buffer = UNLIMITED if wanted.buffer is None else wanted.buffer
                        network = scene(
                            topology, rule, size, buffer, load=load, flows=wanted.flows, seed=wanted.seed, **bursty
                        )
                        yield (
                            {"topology": topology, "rule": rule, "size": size, "traffic": traffic, "load": load},
                            network,
                        )


def fidelity_study(
    wanted: Wanted, ns3: Ns3 | None = None, ns3_seconds: float = 10.0, told: Callable[[str], None] = lambda text: None
) -> list[dict[str, Any]]:
    """Return one row a scene; docs/how-true-is-the-twin.md says what the columns are.

    Parameters
    ----------
    wanted
        Scenes.
    ns3, ns3_seconds
        The built ns-3 program, and how long it plays each scene, modelled s.
    told
        Gets a line a scene.

    Raises
    ------
    InputError, UnknownNameError
        Something cannot be studied, or a topology nobody knows.
    """
    wanted.check()
    rows = []
    for name, network in scenes_of(wanted):
        row: dict[str, Any] = name | {"flows_a_link": flows_a_link(network)} | judge(network, wanted)
        if ns3 is not None:
            row |= against_ns3(network, ns3, wanted.seed, ns3_seconds)
        told(" ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in name.values()))
        rows.append(row)
    return rows


def judge(network: Network, wanted: Wanted) -> dict[str, Any]:
    """Compare the model with the truth of one scene: nominal, calibrated, and the signs of changes."""
    real = truth(network, wanted.seed, wanted.seconds)
    model, links, flows = model_of(network)
    nominal = model.predict(links, flows)
    books = Textbook(model, links, flows).answers()
    model.calibrate(links, flows, window(network, wanted.seed + WINDOW_SEED, wanted.window_s))
    calibrated = model.predict(links, flows)
    row = {"floor_pct": 100 * real.floor, "low_confidence": float(np.mean(nominal.low_confidence))}
    row |= {f"{key}": value for key, value in errors(nominal, real).items()}
    row |= {f"calibrated_{key}": value for key, value in errors(calibrated, real).items()}
    row |= best_textbook(books, real.mean_s, real.wait_s, real.p99_s)
    return row | (signs(network, real, model, wanted) if wanted.signs else {})


def model_of(network: Network) -> tuple[PerformanceModel, PathLinks, PathFlows]:
    """Return the model of a scene, and the state that a twin would know of it: rates, delays, paths, size laws."""
    links, flows = (part.config() for part in network)
    model = PerformanceModel(len(links["link_rate_bps"]), (flows["path_ptr"], flows["path_links"]))
    pps = flows["flow_pps"]
    bursty = network[1].arrival == "on-off"
    ca2, burst_s = on_off(pps, flows["flow_on_s"], flows["flow_off_s"]) if bursty else (1.0, 0.0)
    return (
        model,
        PathLinks(links["link_rate_bps"], links["link_delay_ns"], links["link_buffer"]),
        PathFlows(pps, sizes_of(network), ca2, burst_s),
    )


def window(network: Network, seed: int, seconds: float) -> Observed:
    """Return what telemetry says of a window: flows' mean delays, and over how many packets."""
    return observed(play(network, seed, seconds), seconds)


def observed(plant: PacketPlant, seconds: float) -> Observed:
    """Return the flows' mean delays that a plant has seen, and over how many packets."""
    seen = plant.flows()
    return Observed(seconds, seen["mean_ns"] / SECOND, seen["received"].astype(np.float64))


def errors(found: Prediction, real: Truth) -> dict[str, float]:
    """Return mean relative errors, %, over flows; of waits the sum of errors over the sum of waits; of loss, points."""
    return {
        "mean_pct": percent(found.mean, real.mean_s),
        "wait_pct": wait_percent(found.wait, real.wait_s),
        "p95_pct": percent(found.p95, real.p95_s),
        "p99_pct": percent(found.p99, real.p99_s),
        "loss_points": 100
        * abs(float(np.average(found.loss, weights=real.sent) - np.average(real.loss, weights=real.sent))),
        "flow_loss_points": 100 * float(np.mean(np.abs(found.loss - real.loss))),
        "throughput_pct": percent(found.throughput, real.throughput_pps),
        "coverage_pct": 100 * share_held(found, real, "mean"),
        "p99_coverage_pct": 100 * share_held(found, real, "p99"),
    }


def share_held(found: Prediction, real: Truth, what: str) -> float:
    """Return the share of flows whose interval holds the truth; `what` is "mean" or "p99".

    The intervals are for endless runs. Before it is asked whether they hold the truth, which is two runs, they are
    widened by what sampling leaves in it (added in squares).
    """
    middle, low, high = (getattr(found, name) for name in (what, f"{what}_low", f"{what}_high"))
    true, luck = (real.mean_s, real.sampling_s) if what == "mean" else (real.p99_s, real.p99_sampling_s)
    low = middle - np.hypot(middle - low, NINETY_PERCENT * luck)
    high = middle + np.hypot(high - middle, NINETY_PERCENT * luck)
    return float(np.mean(((low <= true) & (true <= high))[np.isfinite(true)]))


def best_textbook(books: Mapping[str, Answer], mean_s: F64, wait_s: F64, p99_s: F64 | None = None) -> dict[str, Any]:
    """Return the least error of any textbook formula and whose it is: of means, waits and p99, each its own best.

    Chosen with the truth in hand, so nobody could have chosen better.
    """
    found = {
        "mean": {name: percent(book.mean, mean_s) for name, book in books.items()},
        "wait": {name: wait_percent(book.wait, wait_s) for name, book in books.items()},
    }
    if p99_s is not None:
        found["p99"] = {name: percent(book.p99, p99_s) for name, book in books.items()}
    row: dict[str, Any] = {}
    for what, by_name in found.items():
        best = min(by_name, key=lambda name: by_name[name])
        row |= {f"textbook_{what}": best, f"textbook_{what}_pct": by_name[best]}
    return row


def wait_percent(found: F64, real: F64) -> float:
    """Return the sum of the errors over the sum of the waits, %."""
    return 100 * float(np.nansum(np.abs(found - real)) / np.nansum(real))


def percent(found: F64, real: F64) -> float:
    """Return the mean absolute relative error of a flow, %."""
    return 100 * float(np.nanmean(np.abs(found / np.where(real > 0, real, np.nan) - 1.0)))


def signs(network: Network, before: Truth, model: PerformanceModel, wanted: Wanted) -> dict[str, float]:
    """Return how often the direction of a flow's change is right, among changes of more than `LEAST_CHANGE`."""
    _, links, flows = model_of(network)
    expected = model.predict(links, flows).mean
    right = asked = 0
    for change in changes(network):
        after = truth(change.network, wanted.seed, wanted.seconds)  # the same draws where nothing has changed
        _, links, flows = model_of(change.network)
        moved = model.predict(links, flows).mean - expected
        really = after.mean_s - before.mean_s
        large = np.abs(really) > LEAST_CHANGE * before.mean_s
        right += int(np.sum(np.sign(moved[large]) == np.sign(really[large])))
        asked += int(np.sum(large))
    return {"sign_agreement": right / asked if asked else float("nan"), "signs_asked": asked}


def against_ns3(network: Network, ns3: Ns3, seed: int, seconds: float) -> dict[str, Any]:
    """Play the same arrivals in ns-3: share of packets with the plant's very delay, and the errors against it."""
    plant = PacketPlant(seed, *network, stop_ns=round(seconds * SECOND), record=True)
    plant.run_to_end()
    packets = plant.packets()
    return judged_by(network, packets, ns3.play(plant.config, packets).delay_ns)


def judged_by(
    network: Network, packets: Mapping[str, NDArray[np.int64]], delay_ns: NDArray[np.int64]
) -> dict[str, Any]:
    """Compare the plant's packets, the model and the textbook formulas with the packets' delays in ns-3 (-1: lost).

    The run is short, so the errors hold much sampling; `floor_pct` of longer runs does not apply to them.
    """
    arrived = delay_ns >= 0
    flow, count = packets["flow"][arrived], len(network[1].paths)
    numbers = np.bincount(flow, minlength=count)
    delays, sizes = (np.bincount(flow, values[arrived], minlength=count) for values in (delay_ns, packets["bytes"]))
    wait_s = waits_of(network, delays, sizes, numbers) / np.where(numbers > 0, numbers, np.nan)
    mean_s = wait_s + fixed_delays(network)
    model, links, flows = model_of(network)
    found = model.predict(links, flows)
    row = {"mean_pct": percent(found.mean, mean_s), "wait_pct": wait_percent(found.wait, wait_s)}
    row |= best_textbook(Textbook(model, links, flows).answers(), mean_s, wait_s)
    equal = 100 * float(np.mean(delay_ns == packets["delay_ns"]))
    return {"ns3_packets": len(delay_ns), "ns3_equal_pct": equal} | {f"ns3_{key}": value for key, value in row.items()}


def flows_a_link(network: Network) -> float:
    """Return the mean number of flows over the links that are used."""
    used = link_loads(network) > 0
    return len(network[1].config()["path_links"]) / max(int(used.sum()), 1)


def described(wanted: Wanted) -> dict[str, Any]:
    """Return what was asked for, as plain values."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(wanted).items()}
