"""Healing: what may be done about a cause, and what the twin expects of it (docs/healing.md)."""
