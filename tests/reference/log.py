"""Slow twin of `cpp/log`: one segment or snapshot read with `struct`, record by record, as the page of the format says.

It knows what a file holds and where it breaks, not what several files come to.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from reference.codec import RefusedFrameError, crc32c, decode_header

HEADER = "<4sHHQQQQQQQQII64sII"
HEADER_BYTES, LINK_BYTES = 152, 16
KINDS = {1: "frame", 2: "event", 3: "mark"}
GROUP_START = 1


@dataclass(frozen=True)
class Record:
    """A record: what its link says, where that stands, and the frame behind it."""

    kind: str
    peer: int
    offset: int
    frame: bytes
    flags: int


def header_of(file: bytes) -> dict[str, object]:
    """Return the fields of a file's header; ValueError where a check fails."""
    if len(file) < HEADER_BYTES:
        raise ValueError("short")
    fields = struct.unpack_from(HEADER, file)
    magic, version, length, stream, number, position, sequence, salt, size, spilled, drained, *rest = fields
    chain, cursors, name, zero, crc = rest
    kind = {b"TWLG": "segment", b"TWSN": "snapshot"}.get(magic)
    right = kind is not None and version == 1 and length <= 63 and not name[length:].strip(b"\0") and zero == 0
    if not right or crc != crc32c(file[: HEADER_BYTES - 4]):
        raise ValueError("header")
    return {
        "kind": kind,
        "node": name[:length].decode(),
        "stream": stream,
        "next_number": number,
        "position": position,
        "sequence": sequence,
        "salt": salt,
        "bytes": size,
        "spilled": spilled,
        "drained": drained,
        "chain": chain,
        "cursors": cursors,
        "crc": crc,
    }


def link_at(file: bytes, at: int, file_crc: int) -> tuple[int, int, int, int, int] | None:
    """Return length, peer, kind, flags and chain of the link at an offset, if it was written there."""
    if at + LINK_BYTES > len(file):
        return None
    length, peer, kind, flags, chain, place = struct.unpack_from("<IHBBII", file, at)
    if kind not in KINDS or flags & ~3 or place != crc32c(struct.pack("<IQ", file_crc, at) + file[at : at + 12]):
        return None
    return length, peer, kind, flags, chain


def records_of(file: bytes) -> tuple[list[Record], int]:
    """Return the records of a segment up to its end or what breaks it, and that offset."""
    header = header_of(file)
    chain, at = int(str(header["chain"])), HEADER_BYTES
    found: list[Record] = []
    while (link := link_at(file, at, int(str(header["crc"])))) is not None:
        length, peer, kind, flags, says = link
        frame = file[at + LINK_BYTES : at + LINK_BYTES + length]
        frame_crc = 0
        if kind != 3:
            try:
                frame_crc = decode_header(frame).crc
            except RefusedFrameError:
                break
        if len(frame) != length or says != crc32c(
            struct.pack("<I", chain) + file[at : at + 8] + struct.pack("<I", frame_crc)
        ):
            break
        found.append(Record(KINDS[kind], peer, at, frame, flags))
        chain, at = says, at + LINK_BYTES + length
    return found, at


def was_synced(file: bytes, at: int) -> bool:
    """Whether a later group began behind `at`: then what is broken there was synced once."""
    crc = int(str(header_of(file)["crc"]))
    links = (link_at(file, k, crc) for k in range(at + 8, len(file), 8))
    return any(link is not None and link[3] & GROUP_START for link in links)
