"""Families of allocation at scale: problems of one structure each, a kernel and a cvxpy reference for each.

Users have options (a server over an uplink, a path of links) that use shared resources (`options.py`).
`fair.py` shares capacity fairly or by weighted throughput, `routing.py` keeps the fullest link as empty as can be,
`routing_maxmin.py` fills demands evenly, `routing_failures.py` is ready for the worst of many failures.
Every answer is feasible and carries a bound computed from its prices alone.
"""
