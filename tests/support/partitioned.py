"""A tree on both sides of a cable that is cut and healed: run inside the near namespace by test_tree_partition.py.

    ip netns exec NEAR python partitioned.py FOLDER FAR DEVICE ADDRESS WAY [EPOCHS]

Plant, gateways and edges are in the far namespace, fogs, cloud and launcher in the near one. WAY is what is cut: both,
up (what edges send to fogs is lost, not what fogs send) or down. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import trees
from support.inprocess import world_of
from tiertwin.runtime.chaos.network import Cable
from tiertwin.runtime.processes import ProcessPlan
from tiertwin.runtime.roster import Roster

CUT_EPOCHS = 6  # base epochs of 1 s, less the time to get there


def main() -> None:
    """Start, cut, heal, compare."""
    folder, far, device, address, way = Path(sys.argv[1]), *sys.argv[2:6]
    cut_epochs = int(sys.argv[6]) if len(sys.argv) > 6 else CUT_EPOCHS
    cable = Cable(far, device, address)
    roster = Roster(world_of("metro"))
    low = tuple(name for name in roster.names if roster.tier(name) <= 1)
    layout = [ProcessPlan("low", low)]
    layout += [ProcessPlan(name, (name,), address) for name in roster.names if roster.tier(name) > 1]
    patch = pytest.MonkeyPatch()
    with trees.live_tree(patch, folder, layout, elsewhere=(far, "low")) as live:
        links = list(trees.links(live.folder))
        crossing = [(a, b) for a, b in links if b.startswith("fog-") and a.startswith("edge-")]
        cut_at = live.epoch
        cable.cut(way)
        live.epochs(cut_epochs)
        after_cut = trees.links(live.folder)
        down = [after_cut[pair].state for pair in crossing]
        above = [after_cut[b, a].state for a, b in crossing]
        cable.heal(way)
        healed_at = time.time_ns()
        live.until(lambda: not trees.disagreements(live.folder, healed_at)[0], "both ends agree after the heal", 20)
        agreed_s = (time.time_ns() - healed_at) / 1e9
        live.epochs(2)
        wrong, compared = trees.disagreements(live.folder, healed_at)
        local = live.seen[-3].local_epochs(), live.seen[-1].local_epochs()
        result = {
            "crossing": len(crossing),
            "down": down,
            "above": above,
            "agreed_s": round(agreed_s, 1),  # looked at once an epoch
            "wrong": wrong,
            "compared": compared,
            "decided": {name: sorted(epochs) for name, epochs in live.decided(cut_at).items()},
            "epochs": [cut_at, live.epoch],
            "said": sorted({line["what"] for line in live.records if line["heard"] >= cut_at}),
            "local": local,
            "news": live.news,
            "terms": {
                f"{a} {b}": link.terms for (a, b), link in trees.links(live.folder).items() if (a, b) in crossing
            },
        }
    print(json.dumps(result))


main()
