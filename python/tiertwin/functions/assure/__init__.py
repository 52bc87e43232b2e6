"""Assurance: what is failing, what is about to and why (detection, incidents, forecasts, lives, localisation)."""
