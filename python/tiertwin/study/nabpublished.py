"""What NAB publishes of its detectors: raw standard scores by file, and normalised ones of the whole benchmark.

Source: github.com/numenta/NAB, results/<detector>/<detector>_standard_scores.csv (column Score, rounded to 9 digits)
and results/final_results.json. The thresholds are NAB's: the best for all 58 files. The sums over the files of two
groups are thus what those detectors get *there*; chosen for these files alone a threshold could only raise them.
"""

WHOLE_BENCHMARK = {
    "ARTime": 74.85377223215792,
    "numenta (HTM)": 70.1010561194397,
    "contextOSE (CAD OSE)": 69.8995689684483,
    "relativeEntropy": 54.6427489346983,
    "windowedGaussian": 39.6495234960776,
    "random": 16.8317683505172,
    "null": 0.0,
}
DETECTORS = ("ARTime", "numenta (HTM)", "relativeEntropy", "windowedGaussian")
RAW: dict[str, tuple[float, float, float, float]] = {
    "realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv": (1.631679094, 1.386031366, -0.248449198, -1.266678759),
    "realAWSCloudwatch/ec2_cpu_utilization_53ea38.csv": (0.398041759, 1.304369803, 1.459917058, -0.141423196),
    "realAWSCloudwatch/ec2_cpu_utilization_5f5533.csv": (1.697672316, 1.716031366, -0.118005584, -2.0),
    "realAWSCloudwatch/ec2_cpu_utilization_77c1ca.csv": (0.250062776, 0.807346412, 0.231269122, -1.0),
    "realAWSCloudwatch/ec2_cpu_utilization_825cc2.csv": (0.819554525, 0.955724313, 0.921093547, 0.95653784),
    "realAWSCloudwatch/ec2_cpu_utilization_ac20cd.csv": (0.6242122, 0.875727409, 0.640671824, 0.860671824),
    "realAWSCloudwatch/ec2_cpu_utilization_c6585a.csv": (-0.11, -0.44, 0.0, -1.32),
    "realAWSCloudwatch/ec2_cpu_utilization_fe7f93.csv": (-0.333812339, -1.12276901, 0.294015841, 0.638757792),
    "realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv": (0.467302453, 0.812120285, 0.431673986, -4.190896786),
    "realAWSCloudwatch/ec2_disk_write_bytes_c0d644.csv": (0.281063461, 0.500694258, 0.283523539, -1.09599853),
    "realAWSCloudwatch/ec2_network_in_257a54.csv": (0.764852013, 0.8553263, 0.82151533, 0.860671824),
    "realAWSCloudwatch/ec2_network_in_5abac7.csv": (1.034831147, -0.31971352, -2.44, -3.521932235),
    "realAWSCloudwatch/elb_request_count_8c0756.csv": (1.363591385, 1.705123811, -0.138449198, -0.138449198),
    "realAWSCloudwatch/grok_asg_anomaly.csv": (2.230665583, 2.089580391, -1.377040137, 2.379422307),
    "realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv": (-2.33, -2.11, -2.22, -2.0),
    "realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv": (1.490014086, -0.141984317, -0.24812708, -0.138449198),
    "realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv": (1.405996221, 1.712421016, 1.719566485, -0.138449198),
    "realKnownCause/ambient_temperature_system_failure.csv": (1.65773265, 1.322634764, -1.39979253, -2.0),
    "realKnownCause/cpu_utilization_asg_misconfiguration.csv": (-0.257470332, -0.573048876, 0.424230234, -1.11),
    "realKnownCause/ec2_request_latency_system_failure.csv": (1.390583538, 1.985380996, 2.035869054, 2.021506857),
    "realKnownCause/machine_temperature_system_failure.csv": (2.556330192, 2.893216656, -0.91610149, -4.0),
    "realKnownCause/nyc_taxi.csv": (3.775210014, 2.341892307, 3.833359677, -5.0),
    "realKnownCause/rogue_agent_key_hold.csv": (-1.280892313, -0.867400233, -1.515820761, -2.44),
    "realKnownCause/rogue_agent_key_updown.csv": (-2.567650916, -1.185759828, -2.487668611, -1.396490895),
}
"""By file, in the order of `DETECTORS`."""
