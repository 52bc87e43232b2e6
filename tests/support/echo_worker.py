"""A worker that doubles numbers, and ends when it is told 13."""

import sys

from tiertwin.runtime.sidebyside import serve


def work(job):
    if job["n"] == 13:
        sys.exit(7)
    return {"twice": 2 * job["n"]}


if __name__ == "__main__":
    serve(work)
