"""A worker that doubles numbers, ends when it is told 13, and prints as libraries in C do when it is told 14."""

import os
import sys

from tiertwin.runtime.sidebyside import serve


def work(job):
    if job["n"] == 13:
        sys.exit(7)
    if job["n"] == 14:
        os.write(1, b"Running a solver that says who it is\n")
    return {"twice": 2 * job["n"]}


if __name__ == "__main__":
    serve(work)
