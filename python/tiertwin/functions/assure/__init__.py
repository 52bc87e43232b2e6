"""What is failing: detectors over streams, alarms of 3GPP TS 28.111, incidents (docs/assurance-detection.md)."""
