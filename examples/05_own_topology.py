"""Your own network: a networkx graph with coordinates and demands becomes a four-tier twin."""

import networkx as nx

import tiertwin as tt

cities = {  # lon, lat, people (thousands)
    "Lyon": (4.83, 45.76, 520), "Grenoble": (5.72, 45.19, 160), "Valence": (4.89, 44.93, 65),
    "Chambery": (5.92, 45.56, 60), "Annecy": (6.13, 45.90, 130), "Geneva": (6.14, 46.20, 200),
    "Bourg": (5.23, 46.21, 42), "Macon": (4.83, 46.31, 34), "Vienne": (4.87, 45.52, 30),
}  # fmt: skip
roads = [
    ("Lyon", "Vienne"), ("Vienne", "Valence"), ("Valence", "Grenoble"), ("Grenoble", "Chambery"),
    ("Chambery", "Annecy"), ("Annecy", "Geneva"), ("Geneva", "Bourg"), ("Bourg", "Macon"),
    ("Macon", "Lyon"), ("Lyon", "Bourg"), ("Lyon", "Chambery"),
]  # fmt: skip

graph: "nx.Graph[str]" = nx.Graph(name="rhone-alpes")
for city, (lon, lat, people) in cities.items():
    graph.add_node(city, lon=lon, lat=lat, demand=people)
graph.add_edges_from(roads)

scenario = tt.load(graph, devices__count=900, fogs__count=2)
result = tt.run(scenario, epochs=5, seed=1)

twins = [twin.name for twin in result.world.twins]
print(f"{len(cities)} sites, {len(roads)} links, {len(twins)} twins: {', '.join(twins[:4])}, …")
kpis = result.to_json()["policies"]["hierarchical"]
print(f"certified gap at most 1 %: {kpis['certified_gap_median'] <= 0.01}")
