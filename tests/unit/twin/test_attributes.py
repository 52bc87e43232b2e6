"""Which attributes every peer must know."""

from __future__ import annotations

import pytest

from tiertwin.twin.attributes import EXTENSIONS, SUMMARY, TELEMETRY, registry


@pytest.mark.parametrize("attribute", EXTENSIONS, ids=lambda a: a.name.lower())
def test_what_not_every_peer_must_know_is_no_part_of_the_fingerprint(attribute):
    assert registry().get(int(attribute)).extension


@pytest.mark.parametrize("attribute", [*TELEMETRY, *SUMMARY], ids=lambda a: a.name.lower())
def test_what_every_peer_tells_is(attribute):
    assert not registry().get(int(attribute)).extension
