"""Faults on purpose, in a tree of real processes: a seeded plan, what plays it, and what is watched meanwhile.

    plan       which fault hits whom, when: the same seed, the same plan
    child      a process of the tree that tells what its sessions hold, and whose log's disk fails when it is told to
    tree       the tree, its processes, and the files that the children write
    ledger     what was acknowledged as durable, what both ends of a link held, what came of it
    faults     begins and ends one fault
    play       plays the plan and waits for the recovery from each
    report     rows by kind and tier, and which promises held
    network    two namespaces and a cable that can be cut, where the machine has them

Nothing of the twins' own code is another one here: processes are started by another command, which adds the watch.
"""
