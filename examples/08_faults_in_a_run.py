"""Let a link lose frames while twins watch: what is alarmed, what is held to be the cause, and when it is over."""

import tempfile
from pathlib import Path

import tiertwin as tt
from tiertwin.store import open_run

scenario = tt.load(
    "metro",
    faults={"events": [{"kind": "degraded", "link": ["Station", "Centre"], "at_s": 10, "for_s": 6, "loss": 0.05}]},
    assurance={"silent_s": 3.0},
    day={"urban": [1.0, 1.0], "rural": [1.0, 1.0], "background": [1.0, 1.0], "background_peak": 1.0},
)
with tempfile.TemporaryDirectory() as folder:
    tt.run(scenario, epochs=24, seed=7, policies=["hierarchical"], out=Path(folder) / "run")
    with open_run(Path(folder) / "run") as run:
        for event in run.events():
            if event["what"] == "alarm":
                state = "alarm" if event["raised"] else "cleared"
                print(f"{event['epoch']:3} s  {state:8} {event['object']} {event['observation']}")
            elif event["what"] == "cause":
                state = "over" if "over" in event else f"p = {event['probability']:.2f}"
                print(f"{event['epoch']:3} s  {'cause':8} {event['cause']}, {state}")
