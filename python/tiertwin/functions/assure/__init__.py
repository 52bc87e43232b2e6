"""Assurance: which cause explains the alarms, what it costs whom, and what it reaches."""
