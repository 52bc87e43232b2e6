"""Run the small built-in scenario under two policies on the same world and look at what came out."""

import tiertwin as tt

result = tt.run("metro", epochs=10, seed=7, policies=["hierarchical", "edge-only"])

print(f"{'policy':14} {'misses':>8} {'latency':>10} {'utility':>9}")
for name, kpis in result.to_json()["policies"].items():
    misses, latency = kpis["deadline_miss_ratio"], kpis["latency_mean_ms"]
    print(f"{name:14} {100 * misses:6.0f} % {latency:7.0f} ms {kpis['utility_mean']:9.1f}")

certificate = result.to_json()["policies"]["hierarchical"]
print(f"certified gap at most 1 %: {certificate['certified_gap_median'] <= 0.01}")
