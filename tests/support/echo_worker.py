"""A worker that doubles numbers, ends when it is told 13, and chatters when it is told 7."""

import os
import sys

from tiertwin.runtime.sidebyside import serve


def work(job):
    if job["n"] == 13:
        sys.exit(7)
    if job["n"] == 7:
        print("about myself")
        os.write(1, b"a solver says who it is\n")
    return {"twice": 2 * job["n"]}


if __name__ == "__main__":
    serve(work)
