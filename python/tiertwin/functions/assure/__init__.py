"""Assurance: what is about to happen to traffic and to machines, with bands that hold."""
