"""What is failing: detectors over streams, alarms as 3GPP TS 28.111 has them, incidents (docs/assurance-detection.md)."""
