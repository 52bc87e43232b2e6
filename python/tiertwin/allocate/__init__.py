"""Allocation: leaves, masters and their bounds. Arrays in, arrays out; knows neither twins nor sockets.

This is the only package that imports cvxpy, and only in the modules that write problems in it.
"""
