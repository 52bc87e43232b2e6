"""Read the KPIs of a run as a tidy pandas frame (needs the extra: pip install "tiertwin[data]")."""

import tiertwin as tt

result = tt.run("metro", epochs=12, seed=7)
frame = result.kpis().to_pandas()  # policy, epoch, tier, twin, kpi, value, unit

wanted = ["offered_tasks_per_s", "deadline_miss_ratio", "certified_gap"]
wide = frame[frame.kpi.isin(wanted)].pivot_table(index="epoch", columns="kpi", values="value")

print(f"{len(wide)} epochs, columns: {', '.join(wide.columns)}")
print(f"offered load, tasks/s: between {wide.offered_tasks_per_s.min():.0f} and {wide.offered_tasks_per_s.max():.0f}")
print(f"every epoch has a certificate: {bool(wide.certified_gap.notna().all())}")
