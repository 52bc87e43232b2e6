"""Assurance: what is failing, what is about to, and why: detection, alarms, incidents, forecasts, lives, localisation."""
