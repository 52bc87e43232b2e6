"""Drawn problems of what to build."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.placement import NONE, PlacementProblem


def drawn(rng: np.random.Generator, candidates: int = 5, most: int | None = None) -> PlacementProblem:
    """A small problem: servers of which some may be built, ways that need a link, capacity that may be extended."""
    situations = int(rng.integers(1, 4))
    users, servers = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    kind = rng.integers(0, 3, candidates)  # 0 server of its own, 1 a way (link), 2 more at a server that is there
    demand, situation, capacity = [], [], []
    user, gain, needs, use_row, use_option, use = [], [], [], [], [], []
    add_row, add_candidate, add = [], [], []
    added = rng.uniform(2.0, 12.0, candidates)
    place = rng.integers(0, servers, candidates)
    worth = rng.uniform(0.1, 2.0, (users, servers + candidates))
    reach = rng.random((users, servers + candidates)) < 0.6
    for s in range(situations):
        growth, alive = rng.uniform(0.5, 2.0), rng.random(servers) < 0.8
        first_user, first_row = len(demand), len(capacity)
        demand += (growth * rng.uniform(0.0, 6.0, users)).tolist()
        situation += [s] * users
        capacity += np.where(alive, rng.uniform(1.0, 8.0, servers), 0.0).tolist() + [0.0] * candidates
        for i in range(candidates):
            row = first_row + (place[i] if kind[i] == 2 else servers + i)
            add_row.append(row)
            add_candidate.append(i)
            add.append(added[i])
        for u in range(users):
            for target in range(servers + candidates):
                i = target - servers
                if not reach[u, target] or (i >= 0 and kind[i] == 2):
                    continue
                option = len(user)
                user.append(first_user + u)
                gain.append(worth[u, target])
                needs.append(i if i >= 0 else NONE)
                rows = [first_row + target]
                if i >= 0 and kind[i] == 1:
                    rows.append(first_row + int(place[i]))
                for row in rows:
                    use_row.append(row)
                    use_option.append(option)
                    use.append(rng.uniform(0.5, 2.0))
    groups = ((0, 1),) if rng.random() < 0.5 and candidates > 1 else ()
    ints = [
        np.array(one, dtype=np.int64) for one in (situation, user, needs, use_row, use_option, add_row, add_candidate)
    ]
    return PlacementProblem(
        names=tuple(f"c{i}" for i in range(candidates)),
        cost=rng.uniform(1.0, 5.0, candidates),
        budget=float(rng.uniform(1.0, 10.0)),
        most=int(rng.integers(0, 4)) if most is None else most,
        situations=tuple(f"s{s}" for s in range(situations)),
        weight=rng.uniform(0.0, 1.0, situations),
        demand=np.array(demand),
        situation=ints[0],
        user=ints[1],
        gain=np.array(gain),
        needs=ints[2],
        capacity=np.array(capacity),
        use_row=ints[3],
        use_option=ints[4],
        use=np.array(use),
        add_row=ints[5],
        add_candidate=ints[6],
        add=np.array(add),
        groups=groups,
    )
