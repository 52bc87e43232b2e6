"""Trace readers: what they give, what they refuse and how they say it, and that memory does not grow with the file."""

from __future__ import annotations

import gzip
import tracemalloc
from itertools import chain

import numpy as np
import pytest

from support.trace_files import GeneratedFile, fcd, named
from tiertwin.errors import InputError
from tiertwin.plant.traces import CsvColumns, CsvTrace, SumoTrace, TraceBatch, ucc_drives
from tiertwin.plant.traces.batch import joined

PLANE = CsvColumns(x="x", y="y")
GLOBE = CsvColumns(lat="lat", lon="lon", speed="kmh", speed_unit_mps=1 / 3.6)


def whole(reader: SumoTrace | CsvTrace) -> TraceBatch:
    return joined(list(reader))


def sumo(body: str, **options: object) -> SumoTrace:
    return SumoTrace(named(f"<fcd-export>\n{body}\n</fcd-export>\n"), **options)


def table(rows: str, columns: CsvColumns = PLANE, header: str = "time,id,x,y", **options: object) -> CsvTrace:
    return CsvTrace(named(f"{header}\n{rows}"), columns, **options)


def test_sumo_rows_come_as_they_stand() -> None:
    reader = SumoTrace(named(b"".join(fcd(3, 2)).decode()))
    batch = whole(reader)
    assert reader.users == ["v0", "v1"]
    assert batch.time_s.tolist() == [0, 0, 1, 1, 2, 2]
    assert batch.user.tolist() == [0, 1, 0, 1, 0, 1]
    assert batch.x_m.tolist() == [0, 10, 1, 11, 2, 12]
    assert batch.y_m.tolist() == [0, 1] * 3
    assert batch.speed_mps.tolist() == [1.0] * 6
    assert batch.line.tolist() == [5, 6, 9, 10, 13, 14]
    assert str(reader.skips) == "nothing left out"


def test_sumo_takes_persons_and_degrees() -> None:
    body = '<timestep time="0"><person id="p" x="-8.4" y="51.9"/><vehicle id="v" x="-8.4" y="51.91"/></timestep>'
    batch = whole(sumo(body, geo=True))
    assert batch.x_m.tolist() == [0, 0]
    assert batch.y_m[1] == pytest.approx(1111.95, abs=0.01)  # a hundredth of a degree of the mean Earth
    assert np.isnan(batch.speed_mps).all()


def test_a_long_file_takes_the_memory_of_a_short_one() -> None:
    def peak(steps: int) -> tuple[int, int, int]:
        file = GeneratedFile(fcd(steps, 50))
        tracemalloc.start()
        batches = [len(batch) for batch in SumoTrace(file, batch_rows=1000)]
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top, len(batches), file.served

    short, _, few = peak(100)
    long, batches, many = peak(800)
    assert many > 7.5 * few > 3e6
    assert batches > 20
    assert long < 1.3 * short < 3e6


def test_a_long_table_takes_the_memory_of_a_short_one() -> None:
    def peak(rows: int) -> tuple[int, int]:
        lines = (f"{k},u{k % 7},{k}.5,{k % 13}\n".encode() for k in range(rows))
        tracemalloc.start()
        file = GeneratedFile(chain([b"time,id,x,y\n"], lines))
        count = sum(len(b) for b in CsvTrace(file, PLANE, batch_rows=1000))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top, count

    short, few = peak(5_000)
    long, many = peak(40_000)
    assert (few, many) == (5_000, 40_000)
    assert long < 1.3 * short < 2e6


def test_an_element_without_end_is_refused() -> None:
    def endless() -> object:
        yield b'<fcd-export><timestep time="0"><vehicle id="'
        while True:
            yield b"v" * 65_536

    file = GeneratedFile(endless())
    with pytest.raises(InputError, match="expected elements of at most 1048576 bytes, got a longer one"):
        whole(SumoTrace(file))
    assert file.served < 2_000_000


def test_elements_within_elements_without_end_are_refused() -> None:
    with pytest.raises(InputError, match="expected at most 16 elements inside one another, got one more"):
        whole(SumoTrace(named("<fcd-export>" + "<a>" * 100_000), policy="skip"))


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="line 2: expected lines of at most 65536 bytes"):
        whole(table("1" * 70_000))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE fcd-export [<!ENTITY a "aaaa">]>',
        '<!DOCTYPE fcd-export SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE fcd-export [<!ENTITY f SYSTEM "file:///etc/hostname">]>',
    ],
)
@pytest.mark.parametrize("policy", ["strict", "skip"])
def test_document_types_and_entities_are_refused_under_any_policy(head: str, policy: str) -> None:
    file = named(f'<?xml version="1.0"?>\n{head}\n<fcd-export/>')
    with pytest.raises(InputError, match=r"trace, line 2: expected no document type and no entities"):
        whole(SumoTrace(file, policy=policy))


BAD_SUMO = {
    "no number": (
        '<timestep time="0"><vehicle id="v" x="1" y="north"/></timestep>',
        "'y' with a number, got y='north'",
    ),
    "no y": ('<timestep time="0"><vehicle id="v" x="1"/></timestep>', "'y' with a number, got only id, x"),
    "no id": ('<timestep time="0"><vehicle x="1" y="1"/></timestep>', "attribute 'id' of <vehicle>, got none"),
    "no time": ('<timestep><vehicle id="v" x="1" y="1"/></timestep>', "'time' with a number, got only none"),
    "outside": ('<vehicle id="v" x="1" y="1"/>', "inside a <timestep> with its time, got it elsewhere"),
    "nan": ('<timestep time="0"><vehicle id="v" x="nan" y="1"/></timestep>', "position (nan, 1) m"),
    "negative speed": ('<timestep time="0"><vehicle id="v" x="0" y="1" speed="-3"/></timestep>', "speed -3 m/s"),
    "back": (
        '<timestep time="5"><vehicle id="v" x="0" y="1"/></timestep>\n'
        '<timestep time="4"><vehicle id="v" x="0" y="1"/></timestep>',
        "user 'v' goes back to 4 s after 5 s",
    ),
    "twice": (
        '<timestep time="5"><vehicle id="v" x="0" y="1"/><vehicle id="v" x="1" y="1"/></timestep>',
        "user 'v' has two rows at 5 s after 5 s",
    ),
}


@pytest.mark.parametrize("case", BAD_SUMO)
def test_a_bad_row_of_sumo_is_told_or_counted(case: str) -> None:
    body, message = BAD_SUMO[case]
    good = '\n<timestep time="9"><vehicle id="v" x="7" y="7"/></timestep>'
    with pytest.raises(InputError) as told:
        whole(sumo(body + good))
    assert message in str(told.value)
    assert "trace, line " in str(told.value)
    assert "policy='skip'" in str(told.value)
    reader = sumo(body + good, policy="skip")
    assert whole(reader).x_m[-1] == 7
    assert reader.skips.rows >= 1
    assert message in str(reader.skips)


def test_a_gap_is_an_error_or_counted_and_nothing_is_left_out() -> None:
    rows = "0,a,0,0\n1,a,1,0\n9,a,2,0\n"
    with pytest.raises(InputError, match=r"line 4: user 'a' is next seen at 9 s after 1 s \(max_gap_s is 5\)"):
        whole(table(rows, max_gap_s=5.0))
    reader = table(rows, max_gap_s=5.0, policy="skip")
    assert len(whole(reader)) == 3
    assert reader.skips.count["gap"] == 1
    assert reader.skips.rows == 0


def test_times_are_looked_at_across_batches_and_users() -> None:
    rows = "".join(f"{t},{u},0,0\n" for t, u in [(0, "a"), (5, "b"), (3, "a"), (4, "b"), (2, "a"), (4, "a")])
    for size in (1, 2, 3, 10):
        reader = table(rows, policy="skip", batch_rows=size)
        assert whole(reader).time_s.tolist() == [0, 5, 3, 4]
        assert reader.skips.count == {"time going back": 2}


def test_a_truncated_document_is_told_or_counted() -> None:
    text = b"".join(fcd(4, 1)).decode()[:-60]
    with pytest.raises(InputError, match="expected </fcd-export> at the end, the file breaks off"):
        whole(SumoTrace(named(text)))
    reader = SumoTrace(named(text), policy="skip")
    assert len(whole(reader)) >= 2
    assert reader.skips.count["truncated"] == 1


def test_truncated_and_damaged_packed_files(tmp_path) -> None:
    noise = np.random.default_rng(1).integers(0, 1_000_000, 5000)
    packed = gzip.compress(("time,id,x,y\n" + "".join(f"{k},a,{n},1\n" for k, n in enumerate(noise))).encode())
    short = tmp_path / "short.csv.gz"
    short.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="the packed file, it breaks off after this line"):
        whole(CsvTrace(short, PLANE))
    reader = CsvTrace(short, PLANE, policy="skip")
    assert 100 < len(whole(reader)) < 5000
    assert reader.skips.count["truncated"] == 1
    for name, data in {
        "other.csv.gz": b"time,id,x,y\n",
        "flipped.csv.gz": packed[:50] + b"\0" * 50 + packed[100:],
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=f"{name}: expected a gzip file, got .* Was it copied completely"):
            whole(CsvTrace(tmp_path / name, PLANE, policy="skip"))
    xml = tmp_path / "short.xml.gz"
    xml.write_bytes(gzip.compress(b"".join(fcd(500, 9)))[:5000])
    with pytest.raises(InputError, match="the file breaks off"):
        whole(SumoTrace(xml))


def test_files_that_are_not_there_or_not_traces(tmp_path) -> None:
    with pytest.raises(InputError, match=r"none\.xml: expected a trace to read, got No such file"):
        whole(SumoTrace(tmp_path / "none.xml"))
    with pytest.raises(InputError, match="expected a trace to read, got Is a directory"):
        whole(CsvTrace(tmp_path, PLANE))
    with pytest.raises(InputError, match="expected <fcd-export> first, got <routes>"):
        whole(SumoTrace(named("<routes/>")))
    with pytest.raises(InputError, match=r"line 1: expected XML, got .*Is it the file of SUMO's --fcd-output"):
        whole(SumoTrace(named("time,id,x,y\n")))
    with pytest.raises(InputError, match="expected a header line with the names of columns, got an empty file"):
        whole(CsvTrace(named(""), PLANE))


def test_csv_columns_have_the_names_given() -> None:
    columns = CsvColumns(time="when", user="who", lat="lat", lon="lon", speed="kmh", speed_unit_mps=1 / 3.6)
    text = "who,lat,more,lon,when,kmh,level\na,51.9,x,-8.4,3,36,-90\nb,51.9,x,-8.4,3,72,-\n"
    reader = CsvTrace(named(text), columns, numbers=["level"], words=["more"])
    batch = whole(reader)
    assert reader.users == ["a", "b"]
    assert reader.ignored == []
    assert reader.origin == (51.9, -8.4)
    assert batch.speed_mps.tolist() == pytest.approx([10.0, 20.0])
    assert batch.numbers["level"][0] == -90
    assert np.isnan(batch.numbers["level"][1])
    assert batch.words["more"].tolist() == ["x", "x"]


def test_dates_become_seconds() -> None:
    columns = CsvColumns(x="x", y="y", time_format="%Y.%m.%d_%H.%M.%S")
    batch = whole(table("2020.01.01_00.00.07,a,0,0\n2020.01.01_00.00.09,a,0,0\n", columns))
    assert batch.time_s.tolist() == [1577836807.0, 1577836809.0]
    with pytest.raises(InputError, match=r"expected a time like '%Y.*' in column 'time', got 'noon'"):
        whole(table("noon,a,0,0\n", columns))


BAD_CSV = {
    "text": ("0,a,here,0\n", "expected a number in column 'x', got 'here'"),
    "short": ("0,a,1\n", "expected 4 fields, got 3"),
    "long": ("0,a,1,2,3\n", "expected 4 fields, got 5"),
    "missing": ("0,a,-,0\n", "position (nan, 0) m"),
    "infinite": ("0,a,inf,0\n", "position (inf, 0) m"),
    "far": ("0,a,1e300,0\n", "a position within 10⁸ m"),
    "long name": (f"0,{'n' * 201},0,0\n", "expected names of at most 200 characters, got 201: 'nnnnnnnnnnnnnnnnnnnn'…"),
    "nobody": ("0,,1,0\n", "expected a name in column 'id', got none"),
    "quote": ('0,"a"b,1,0\n', "expected fields of a table, got"),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_a_bad_row_of_a_table_is_told_or_counted(case: str) -> None:
    row, message = BAD_CSV[case]
    with pytest.raises(InputError) as told:
        whole(table(row + "5,a,7,7\n"))
    assert message in str(told.value)
    assert "trace, line 2" in str(told.value)
    reader = table(row + "5,a,7,7\n", policy="skip")
    assert whole(reader).x_m.tolist() == [7]
    assert reader.skips.rows == 1


def test_degrees_that_are_no_place_are_told() -> None:
    with pytest.raises(InputError, match="expected latitude within ±90° and longitude within ±180°, got 91, 0"):
        whole(table("0,a,91,0,5\n", GLOBE, "time,id,lat,lon,kmh"))


def test_unknown_columns_are_told_with_those_there_are() -> None:
    with pytest.raises(InputError) as told:
        whole(table("0,a,0,0\n", CsvColumns(time="tme", x="x", y="y", speed="v")))
    assert "expected a column 'tme', got none. Did you mean 'time'?" in str(told.value)
    assert "expected a column 'v', got none" in str(told.value)
    with pytest.raises(InputError, match="expected column 'x' once, got it 2 times"):
        whole(table("", PLANE, "time,id,x,x,y"))


@pytest.mark.parametrize("columns", [CsvColumns(), CsvColumns(x="x"), CsvColumns(x="x", y="y", lat="a", lon="b")])
def test_positions_are_metres_or_degrees(columns: CsvColumns) -> None:
    with pytest.raises(InputError, match="expected x and y, or lat and lon, and not both"):
        CsvTrace(named(""), columns)


def test_users_beyond_the_limit_are_told_or_counted(monkeypatch) -> None:
    monkeypatch.setattr("tiertwin.plant.traces.source.MAX_USERS", 2)
    rows = "0,a,0,0\n0,b,0,0\n0,c,0,0\n1,a,1,0\n"
    with pytest.raises(InputError, match="line 4: expected at most 2 users, got one more, 'c'"):
        whole(table(rows))
    reader = table(rows, policy="skip")
    assert whole(reader).user.tolist() == [0, 1, 0]
    assert reader.skips.count == {"too many users": 1}


def test_a_reader_is_read_once(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,id,x,y\n0,a,0,0\n")
    for reader in (CsvTrace(path, PLANE), SumoTrace(named("<fcd-export/>"))):
        whole(reader)
        with pytest.raises(InputError, match="expected a reader to be read once, got it again"):
            whole(reader)


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="policy: expected one of strict, skip, got 'lenient'"):
        SumoTrace(named(""), policy="lenient")
    with pytest.raises(InputError, match="max_gap_s: expected a positive number of seconds, got 0"):
        SumoTrace(named(""), max_gap_s=0)
    with pytest.raises(InputError, match="batch_rows: expected at least 1, got 0"):
        SumoTrace(named(""), batch_rows=0)


def test_drives_of_cork_are_read_by_name() -> None:
    text = (
        "app,mob,trace,Timestamp,Longitude,Latitude,Speed,CellID,NetworkMode,RSRP\n"
        "Download,Driving,B_1,2019.12.01_12.11.21,-8.388167,51.935618,36,2,LTE,-92\n"
        "Download,Driving,B_1,2019.12.01_12.11.21,-8.388167,51.935618,36,2,LTE,-93\n"
        "Download,Driving,B_2,2019.12.01_12.11.22,-8.388338,51.935625,1,2,5G,-93\n"
    )
    reader = ucc_drives(named(text), numbers=["RSRP"], words=["NetworkMode"])
    batch = whole(reader)
    assert reader.users == ["B_1", "B_2"]
    assert batch.speed_mps[0] == pytest.approx(10.0)
    assert batch.words["NetworkMode"].tolist() == ["LTE", "5G"]
    assert reader.skips.count == {"repeated": 1}
