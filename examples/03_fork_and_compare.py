"""Fork a live fog twin twice: what if demand grew by half, what if it doubled? The twins themselves stay the same."""

import tiertwin as tt

result = tt.run("metro", epochs=6, seed=7)
live = result.twin("fog-1")

half_more = live.fork().scale_demand(1.5)
doubled = live.fork().scale_demand(2.0)

print(f"{'':16} {'now':>8} {'x1.5':>8} {'x2':>8}")
now = half_more.compare().before.values
for kpi in ("offered", "loss_share", "local_share", "edge_utilisation"):
    row = [now[kpi], half_more.expect().values[kpi], doubled.expect().values[kpi]]
    print(f"{kpi:16} " + " ".join(f"{value:8.2f}" if unit == "1" else f"{value:8.0f}" for value, unit in row))
