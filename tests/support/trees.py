"""Trees of processes for tests: started, watched, and what their sessions held at both ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.inprocess import plan_of, world_of
from support.processes import Known, assert_gone, none_left
from tiertwin.runtime import children
from tiertwin.runtime.execute import TreeOptions, execute
from tiertwin.runtime.launcher import TreePlan
from tiertwin.runtime.liverun import LiveRun
from tiertwin.runtime.observed import Observation
from tiertwin.runtime.plan import make_plan, settings_of
from tiertwin.runtime.processes import ProcessPlan, lay_out
from tiertwin.runtime.roster import Roster
from tiertwin.world import World

WATCHED = Path(__file__).with_name("watched_child.py")
SMALL: Mapping[str, int] = {"device": 1, "edge": 2, "fog": 3, "cloud": 1}
STATES = ("new", "live", "gapped", "resyncing", "lost", "banned")


def log_hash(folder: Path, processes: Any, seed: int, epochs: int, name: str = "metro") -> str:
    """Hash of the log of `hierarchical`, in a tree of processes; None for `processes`: in this one."""
    plan = plan_of(name, epochs, seed)
    tree = None if processes is None else TreeOptions(folder, None if processes == "default" else processes)
    return execute(plan, world_of(name), None, tree=tree).log_hash


def tree_plan(
    folder: Path,
    processes: Any = None,
    *,
    real_clock: bool = False,
    seed: int = 7,
    solvers: int = 2,
    world: World | None = None,
    durable: bool = False,
) -> TreePlan:
    """A tree of processes for metro, or for another world."""
    world = world_of("metro") if world is None else world
    settings = settings_of(make_plan(world.scenario, 5, seed, ["hierarchical"]), world, "hierarchical")
    roster = Roster(world)
    layout: list[ProcessPlan] = processes if isinstance(processes, list) else lay_out(roster, processes)
    return TreePlan(world, roster, settings, layout, solvers, folder, real_clock, durable=durable)


def watch_children(patch: pytest.MonkeyPatch, folder: Path, elsewhere: tuple[str, ...] = ()) -> None:
    """From now on, children of this process are watched (watched_child.py).

    `elsewhere`: a network namespace, and the process that shall be in it.
    """
    folder.mkdir(exist_ok=True)
    patch.setattr(children, "COMMAND", (sys.executable, "-P", str(WATCHED), str(folder), *elsewhere))


# ------------------------------------------------------------------------------------------------- what sessions held
@dataclass
class Link:
    """What one end of a link went through: (time, state), and the digests by (stream, number)."""

    process: str
    states: list[tuple[int, str]] = field(default_factory=list)
    held_in: dict[tuple[int, int], int] = field(default_factory=dict)
    held_out: dict[tuple[int, int], int] = field(default_factory=dict)
    terms: list[int] = field(default_factory=list)
    alarms: int = 0

    @property
    def state(self) -> str:
        return self.states[-1][1]


def links(folder: Path, since: int = 0) -> dict[tuple[str, str], Link]:
    """Both ends of every link between processes, by (node, peer); only what happened after `since` (ns since 1970)."""
    found: dict[tuple[str, str], Link] = {}
    paths = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_ctime_ns)
    lines = [msgspec.json.decode(line) for path in paths for line in path.read_bytes().split(b"\n")[:-1]]
    for line in sorted(lines, key=lambda line: line["at"]):
        link = found.setdefault((line["node"], line["peer"]), Link(line["process"]))
        link.process = line["process"]
        link.states.append((line["at"], STATES[line["state"]]))
        link.terms.append(line["term"])
        link.alarms = line["alarms"]
        if line["at"] < since:
            continue
        for book, (stream, number, digest) in ((link.held_in, line["in"]), (link.held_out, line["out"])):
            book[stream, number] = digest
    return found


def disagreements(folder: Path, since: int) -> tuple[list[str], int]:
    """Compare the two ends of every link, in both directions, at numbers that both held after `since`.

    Returns what differs or was never compared, in words, and how many digests were compared.
    """
    all_links, wrong, compared = links(folder, since), [], 0
    for (node, peer), link in all_links.items():
        other = all_links.get((peer, node))
        if other is None:
            wrong.append(f"{node} to {peer}: nothing from the other end")
            continue
        common = link.held_out.keys() & other.held_in.keys()
        compared += len(common)
        if not common:
            wrong.append(f"{node} to {peer}: no number that both held")
        wrong += [
            f"{node} to {peer} at {number}" for number in common if link.held_out[number] != other.held_in[number]
        ]
        if link.state != "live":
            wrong.append(f"{node} to {peer}: {link.state}")
    return wrong, compared


# --------------------------------------------------------------------------------------------------- under real clock
class Live:
    """A tree under the real clock, its processes watched.

    Parameters
    ----------
    run
        Started already.
    folder
        Of what the children write.
    """

    def __init__(self, run: LiveRun, folder: Path) -> None:
        self.run, self.folder = run, folder
        self.epoch = 0
        self.news: list[str] = []
        self.records: list[dict[str, Any]] = []
        self.seen: list[Observation] = []
        self.known = {name: Known.of(child.pid) for name, child in run.launcher.children.items()}
        self.all = list(self.known.values())  # every process there ever was

    def epochs(self, count: int) -> None:
        """Let epochs go by; news, records and what was seen are kept."""
        for _ in range(count):
            self.run.run_epoch(self.epoch)
            self.news += self.run.take_news()
            self.records += [{**line, "heard": self.epoch} for line in self.run.take_records()]
            self.seen.append(self.run.observe())
            self.epoch += 1
            self._meet()

    def _meet(self) -> None:
        for name, child in self.run.launcher.children.items():
            if self.known.get(name) is None or self.known[name].pid != child.pid:
                self.known[name] = Known.of(child.pid)
                self.all.append(self.known[name])

    def until(self, condition: Any, what: str, most: int = 30) -> None:
        """Let epochs go by until something holds."""
        for _ in range(most):
            if condition():
                return
            self.epochs(1)
        raise AssertionError(f"{most} epochs went by without this: {what}\nnews: {self.news}")

    def decided(self, since: int) -> dict[str, set[int]]:
        """Epochs from `since` on in which each edge decided, by name."""
        names = self.run.launcher.plan.roster.names
        found: dict[str, set[int]] = {}
        for line in self.records:
            if line["what"] == "decision" and line["tier"] == 1 and line["epoch"] >= since:
                found.setdefault(names[line["node"]], set()).add(line["epoch"])
        return found

    def logs(self) -> str:
        """What all processes logged."""
        folder = self.run.launcher.plan.folder / "logs"
        return "\n".join(path.read_text() for path in sorted(folder.glob("*.log")))


@contextmanager
def live_tree(
    patch: pytest.MonkeyPatch,
    folder: Path,
    processes: Any = None,
    elsewhere: tuple[str, ...] = (),
    world: World | None = None,
    *,
    durable: bool = False,
) -> Iterator[Live]:
    """Run metro (or `world`) under the real clock; at the end all processes must be gone, none having left a trace."""
    watch_children(patch, folder / "watched", elsewhere)
    run = LiveRun(tree_plan(folder, processes or SMALL, real_clock=True, world=world, durable=durable))
    live = Live(run, folder / "watched")
    with none_left(live.all):
        try:
            live.epochs(2)
            every = lambda: {link.state for link in links(live.folder).values()}  # noqa: E731
            live.until(lambda: every() == {"live"}, "every session is live", 10)
            yield live
        finally:
            run.close()
        assert_gone(live.all)
        assert "Traceback" not in live.logs()
        assert '"broke"' not in live.logs()
