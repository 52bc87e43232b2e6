"""What a person sees while a run goes by: plain lines, or a live view of the tree with load, gap and age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.live import Live
    from rich.tree import Tree as RichTree

    from tiertwin.runtime.measure import EpochRow
    from tiertwin.runtime.observed import Observation
    from tiertwin.world import World


_INDENT, _GAP, _NARROW, _WIDE = (
    12,
    2,
    23,
    27,
)  # columns: guides of the tree, between two sites, of a site at least and most


class Lines:
    """One line a policy, on standard error."""

    def policy_began(self, policy: str, epochs: int) -> None:
        click.echo(f"{policy}: {epochs} epochs …", err=True, nl=False)

    def epoch_ended(self, policy: str, row: EpochRow, seen: Observation, world: World) -> None:
        """Nothing: a line an epoch would be noise."""

    def policy_ended(self, policy: str, row: dict[str, Any]) -> None:
        missed = row.get("deadline_miss_ratio")
        told = "" if missed is None else f" deadline misses {100 * missed:.2f} %,"
        click.echo(
            f"{policy if missed is None else ''}{told} {row['wall_s_per_epoch'] * 1e3:.0f} ms an epoch", err=True
        )

    def told(self, news: str) -> None:
        click.echo(news, err=True)

    def close(self) -> None:
        """Nothing is open."""


class LiveView:
    """The tree of twins, redrawn each epoch."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._epochs = 0

    def policy_began(self, policy: str, epochs: int) -> None:
        from rich.console import Console
        from rich.live import Live

        self._epochs = epochs
        self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=True)
        self._live.start()

    def epoch_ended(self, policy: str, row: EpochRow, seen: Observation, world: World) -> None:
        if self._live is not None:
            self._live.update(draw(policy, row, world, self._epochs, self._live.console.width))

    def told(self, news: str) -> None:
        if self._live is not None:
            self._live.console.print(news, markup=False, highlight=False)

    def close(self) -> None:
        """Take the live view off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def policy_ended(self, policy: str, row: dict[str, Any]) -> None:
        self.close()
        Lines().policy_ended(f"{policy}", {**row})


def draw(policy: str, row: EpochRow, world: World, epochs: int, width: int = 100) -> RichTree:
    """Return the tree with load, gap and age, at most `width` columns wide (from about 40 on)."""
    from rich.markup import escape
    from rich.tree import Tree as RichTree

    busy, values = row.kpis.server_utilisation, row.values
    gap = values.get("certified_gap")
    facts = [
        f"epoch {row.epoch + 1}/{epochs}",
        *([] if gap is None else [f"certified gap {100 * gap:.3f} %"]),
        f"misses {100 * values['deadline_miss_ratio']:.2f} %",
        f"age p99 {values.get('aoi_p99_ms', float('nan')):.0f} ms",
        f"load {values['offered_tasks_per_s']:.0f} tasks/s",
    ]
    tree = RichTree(f"[bold]{escape(policy)}[/] " + _packed(facts, width, len(policy) + 1))
    sites = world.site_count
    across = max(1, (width - _INDENT + _GAP) // (_NARROW + _GAP))
    cell = min(_WIDE, (width - _INDENT + _GAP) // across - _GAP)
    cloud = tree.add(f"{world.twins[0].name} {bar(float(busy[-1]))}")
    for fog in [t for t in world.twins if t.tier == 2]:
        branch = cloud.add(f"{fog.name} {bar(float(busy[sites + fog.fog]))}")
        edges = [t for t in world.twins if t.parent == fog.name]
        cells = [_site(e.name.removeprefix("edge-"), float(busy[e.site]), cell) for e in edges]
        for start in range(0, len(cells), across):
            branch.add((" " * _GAP).join(cells[start : start + across]))
    return tree


def _site(name: str, share: float, width: int) -> str:
    """Name, bar and percentage in `width` columns."""
    full = 6 if width >= _WIDE else 4
    room = max(width - full - 7, 6)
    return f"{name[:room]:{room}} {bar(share, full)}"


def _packed(facts: list[str], width: int, used: int) -> str:
    """Join facts with dots; a line breaks between two facts, never inside one."""
    text = ""
    for fact in facts:
        if text and used + 3 + len(fact) > width:
            text, used = f"{text}\n{fact}", len(fact)
        else:
            text, used = (f"{text} · {fact}", used + 3 + len(fact)) if text else (fact, used + len(fact))
    return text


def bar(share: float, width: int = 12) -> str:
    """A bar of a share in [0, 1], coloured by how full it is."""
    full = max(0, min(width, round(share * width)))
    colour = "green" if share < 0.7 else "yellow" if share < 0.9 else "red"
    return f"[{colour}]{'█' * full}[/][dim]{'░' * (width - full)}[/] {100 * share:3.0f} %"
