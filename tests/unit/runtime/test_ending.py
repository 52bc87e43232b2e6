"""How a process of nodes answers signals: in order when asked, at once when asked twice or when it takes too long."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAD = (
    "import os, signal; from tiertwin.runtime.liveprocess import Ending; e = Ending(by_hand=True); me = os.getpid()\n"
)
ASK = "os.kill(me, signal.{}); assert e.asked\n"


def code_of(program: str) -> int:
    done = subprocess.run([sys.executable, "-c", HEAD + program], timeout=60, capture_output=True, check=False)
    assert done.stderr == b""
    return done.returncode


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_asked_once_it_ends_when_everything_is_closed(name: str) -> None:
    assert code_of(ASK.format(name) + "e.over(); raise SystemExit(7)") == 7


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_asked_twice_it_ends_at_once(name: str, code: int) -> None:
    assert code_of(ASK.format("SIGTERM") + f"os.kill(me, signal.{name}); raise SystemExit(7)") == code


def test_what_does_not_close_in_time_is_ended() -> None:
    assert code_of(ASK.format("SIGINT") + "signal.pause()") == 142  # by the alarm
