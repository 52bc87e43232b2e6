"""Watch a stream of your own: residuals of level and season, alarms in the words of TS 28.111, and incidents."""

import numpy as np

from tiertwin.functions.assure.alarms import Severity
from tiertwin.functions.assure.incidents import Incidents
from tiertwin.functions.assure.streams import StreamOptions, Streams

HOUR_S = 3600.0
rng = np.random.default_rng(7)
times_s = np.arange(0.0, 21 * 24 * HOUR_S, 300.0)  # three weeks at 5 minutes
links = ("link-a", "link-b", "link-c")
day = np.sin(2.0 * np.pi * times_s / (24 * HOUR_S))
load = 40.0 + 25.0 * day[:, None] + rng.normal(0.0, 2.0, (times_s.size, 3))
fault = int(15.5 * 24 * 12)  # at noon of the 16th day
load[fault : fault + 24, :2] += 30.0  # two hours, on two links that share a site
load[5000:5040, 2] = np.nan  # a gap in the telemetry is no anomaly

watch = Streams(3, StreamOptions(least=5.0))
log = Incidents((*links, "site-1"), [("link-a", "site-1"), ("link-b", "site-1"), ("link-a", "link-b")], window_s=HOUR_S)
learnt = 14 * 24 * 12  # two weeks to learn the days by; alarms count from then on
watch.push(load[:learnt], times_s[:learnt])
for first in range(learnt, times_s.size, 12):  # as it comes, an hour at a time
    rows = slice(first, first + 12)
    score, alarm = watch.push(load[rows], times_s[rows])
    for row, link in zip(*np.nonzero(alarm), strict=True):
        log.tell(times_s[first + row], links[link], "THRESHOLD_CROSSED", Severity.MAJOR)

print(f"{times_s.size} samples of {watch.series} links, {watch.memory_bytes() // 1000} KB held")
for incident in log.open():
    told = ", ".join(f"{a.object_instance} at {a.alarm_raised_time[5:16]}" for a in incident.alarms)
    print(f"incident {incident.number}: {incident.severity.name}, {told}")
