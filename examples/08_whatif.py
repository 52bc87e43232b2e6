"""What if a link fails, a node, a duct; what if half of a district goes to the stadium, and it grows busier?"""

import tiertwin as tt
from tiertwin.model.interventions import Situation
from tiertwin.model.whatif import parse_situation

fork = tt.run("metro", epochs=6, seed=7).twin("cloud-1").fork()

situations = [
    Situation("a link fails", parse_situation("fail-link Centre,Station").interventions, 0.5),
    Situation("a duct is cut", parse_situation("fail-group duct=Centre,Station;Centre,Harbour").interventions, 0.2),
    Situation("the harbour is dark", parse_situation("fail-node Harbour").interventions, 0.1),
    Situation("a match", parse_situation("move Old Town,Stadium,0.5; demand x3@Stadium").interventions, 0.2),
]
study = fork.sweep(situations, replan="none")
print(f"{'situation':20} {'lost':>6} {'covered':>8} {'fullest link':>13}")
for row in study.rows():
    print(f"{row['situation']:20} {row['loss_share']:6.1%} {row['coverage']:8.1%} {row['link_utilisation_max']:13.1%}")
told = study.summary()
print(f"score now {told['score_base']:.2f}, mean {told['score_mean']:.2f}, worst tenth {told['score_cvar']:.2f}")
