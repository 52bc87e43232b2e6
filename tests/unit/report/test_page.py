"""The report page as text: what it says, what it leaves out and says so, and that no name can break it."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from support.fake_run import scenario, write_run
from tiertwin.errors import OutputError
from tiertwin.report import charts, network
from tiertwin.report.figures import POINTS, Figures
from tiertwin.report.markup import data, tag
from tiertwin.report.page import render, write
from tiertwin.store import RunWriter, open_run

VOID = {"meta", "link", "input", "br", "path", "line", "circle", "rect", "polygon"}


class Balance(HTMLParser):
    """Fails on an element that is not closed where it should be."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return " ".join(parser.text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("runs")
    write_run(base / "whole", epochs=12, policies=("hierarchical", "edge-only", "monolithic"))
    write_run(base / "cut", epochs=3, policies=("hierarchical", "edge-only"), finish=False, wanted=60)
    return base


def rendered(path):
    with open_run(path) as run:
        return render(run)


def test_a_complete_run(folder):
    page = rendered(folder / "whole")
    text = read(page)
    with open_run(folder / "whole") as run:
        assert run.log_hash in text
    for words in ("germany50", "Frankfurt", "fog-5", "Energy per task", "Median", "device → edge", "yardstick"):
        assert words in text
    assert "Behind Energy per task" in re.sub(r"\s+", " ", text)  # what is worse is said as plainly as what is better
    assert page.count('class="link u') == 88
    assert len(re.findall(r'class="site (?:urban|rural)" data-s', page)) == 50


def test_the_same_run_gives_the_same_page(folder):
    assert rendered(folder / "whole") == rendered(folder / "whole")


def test_nothing_is_fetched(folder):
    page = rendered(folder / "whole")
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src &#x27;none&#x27;" in page


def test_an_interrupted_run_says_so(folder):
    text = read(rendered(folder / "cut"))
    assert "interrupted" in text
    assert "Epochs 3 of 60" in " ".join(text.split())
    assert "Figures below cover the epochs that were finished: hierarchical 3 of 60, edge-only 3 of 60." in text
    assert "means of percentiles of epochs" in text


def test_a_policy_that_had_not_begun_is_counted_too(tmp_path):
    with RunWriter(tmp_path / "run", {"name": "x"}, 1, ["hierarchical", "static"], settings={"epochs": 5}) as writer:
        writer.kpis("hierarchical", 0, {"objective": 1.0})
        writer.commit()
    assert "hierarchical 1 of 5, static 0 of 5." in read(rendered(tmp_path / "run"))


def bars_of(*values):
    """(left, width) in % of each bar, and where zero is drawn."""
    made = charts.bars([(str(value), value, str(value), "") for value in values])
    found = re.findall(r'<i style="left:([\d.]+)%;width:([\d.]+)%">', made)
    return [(float(left), float(width)) for left, width in found], re.findall(r'<u style="left:([\d.]+)%">', made)


def test_bars_start_at_zero_wherever_it_is():
    assert bars_of(1.0, 4.0) == ([(0.0, 25.0), (0.0, 100.0)], [])
    assert bars_of(-1.0, -4.0) == ([(75.0, 25.0), (0.0, 100.0)], ["100.0"] * 2)
    assert bars_of(3.0, -1.0) == ([(25.0, 75.0), (0.0, 25.0)], ["25.0"] * 2)
    assert bars_of(0.0, None) == ([(0.0, 0.0)], [])


def test_negative_worth_is_compared_in_utils_and_axes_without_zero_say_so(tmp_path):
    """A percentage of a utility says nothing: its zero is a matter of convention."""
    made = {"objective": -900.0, "utility_mean": -0.5, "deadline_miss_ratio": 0.1}
    with RunWriter(tmp_path / "run", scenario(), 1, ["hierarchical", "static"]) as writer:
        for epoch in range(3):
            writer.kpis("hierarchical", epoch, {"objective": -900.0 + epoch, "utilisation": 0.5})
            writer.kpis("static", epoch, {"objective": -1000.0 + epoch, "utilisation": 0.6})
        rows = {"hierarchical": made, "static": {**made, "objective": -1000.0, "utility_mean": -0.75}}
        writer.finish({"epochs": 3, "policies": rows})
    page = rendered(tmp_path / "run")
    text = " ".join(read(page).split())
    assert "Ahead Objective: −900 utils/s against −1000 of static (+100 utils/s)" in text
    assert "+0.250 utils against static, the best other (−0.750)" in text
    assert "higher is better, axis from −1000 to −850, without 0" in text
    assert page.count("without 0") == 1


def test_gateways_without_a_name_on_the_map_are_listed(tmp_path):
    """Three seats in one spot: there is room for the names of some only."""
    nodes = [
        {"name": f"A city with a rather long name {n}", "lon": 9.0, "lat": 50.0, "urban": True, "fog": n, "role": "fog"}
        for n in range(9)
    ] + [{"name": "far", "lon": 12.0, "lat": 52.0, "urban": False, "fog": 0, "role": "cloud"}]
    with RunWriter(tmp_path / "run", {"name": "x", "world": {"nodes": nodes}}, 1, ["static"]):
        pass
    text = " ".join(read(rendered(tmp_path / "run")).split())
    listed = text.partition("Ringed without a name, for want of room: ")[2].partition(".")[0]
    labels = re.findall(r">(A city with a rather long name \d)</text>", rendered(tmp_path / "run"))
    assert 0 < listed.count("A city") == 9 - len(labels)
    assert "A city with a rather long name 8 (fog-8)" in listed
    assert "far" not in listed
    assert "high demand density" in text
    assert "urban" not in text.partition("Nodes")[2].partition("Policies compared")[0]


@pytest.mark.parametrize("names", [["history.duckdb"], ["versions.json"], ["events.jsonl"], ["result.json"]])
def test_missing_parts_are_said(folder, tmp_path, names):
    write_run(tmp_path / "run", epochs=2, policies=("hierarchical", "edge-only"))
    for name in names:
        (tmp_path / "run" / name).unlink()
    text = read(rendered(tmp_path / "run"))
    if names == ["history.duckdb"]:
        assert "history.duckdb is missing" in text
        assert "No KPIs by epoch in this run." in text
        assert "Not in this run: the loads of links." in text
        assert "Deadline misses" in text  # the result is there, and shown
    if names == ["versions.json"]:
        assert "versions.json" in text


def test_a_run_without_anything(tmp_path):
    with RunWriter(tmp_path / "run", {"name": "nothing"}, 1, ["hierarchical"]):
        pass
    text = read(rendered(tmp_path / "run"))
    for words in ("No epoch was finished", "No map", "No tree", "No bounds", "This run holds no figures yet"):
        assert words in text


def test_a_long_run_is_thinned_and_stays_small(tmp_path):
    with RunWriter(tmp_path / "run", scenario(), 1, ["hierarchical", "static"]) as writer:
        for epoch in range(1000):
            for policy in ("hierarchical", "static"):
                writer.kpis(
                    policy, epoch, {"objective": epoch * 1.0, "certified_gap": 1e-3, "offered_tasks_per_s": 5.0}
                )
                writer.links(policy, epoch, np.full(176, 50.0), np.full(176, 100.0))
        writer.commit()
    with open_run(tmp_path / "run") as run:
        page = render(run)
        assert len(Figures(run).epochs) <= POINTS
    assert "Charts show every 5th epoch" in page
    assert len(page.encode()) < 2_000_000


def test_a_large_network_stays_small(tmp_path):
    draw = np.random.default_rng(3)
    nodes = [
        {"name": f"node {n}", "lon": lon, "lat": lat, "urban": False, "fog": 0, "role": "edge"}
        for n, (lon, lat) in enumerate(draw.random((2000, 2)).tolist())
    ]
    links = [
        {"a": f"node {a}", "b": f"node {b}", "km": 1.0, "capacity_mbps": 100.0, "owner": "cloud-1"}
        for a, b in draw.integers(0, 2000, (8000, 2)).tolist()
    ]
    twins = [{"name": "cloud-1", "tier": "cloud", "parent": None}]
    twins += [{"name": f"edge-node-{n}", "tier": "edge", "parent": "cloud-1"} for n in range(2000)]
    world = {"nodes": nodes, "links": links, "twins": twins}
    with RunWriter(tmp_path / "run", {"name": "large", "world": world}, 1, ["hierarchical"]) as writer:
        for epoch in range(40):
            writer.kpis("hierarchical", epoch, {"objective": 1.0})
            writer.links("hierarchical", epoch, draw.random(16000) * 100, np.full(16000, 100.0))
        writer.commit()
    page = rendered(tmp_path / "run")
    assert "3000 of 8000 links are drawn: the fullest ones." in page
    assert "Edges and devices are left out of the picture." in page
    assert len(page.encode()) < 2_000_000


def test_names_cannot_break_the_page(tmp_path):
    evil = """</script><script>alert(1)</script>"'&<b>"""
    made = scenario()
    made["name"] = made["about"] = evil
    for node in made["world"]["nodes"]:
        if node["name"] == "Aachen":
            node["name"] = evil
    for link in made["world"]["links"]:
        link["a"] = evil if link["a"] == "Aachen" else link["a"]
        link["b"] = evil if link["b"] == "Aachen" else link["b"]
    with RunWriter(tmp_path / "run", made, 1, [evil, "static"]) as writer:
        for policy in (evil, "static"):
            writer.kpis(policy, 0, {"objective": 1.0, "offered_tasks_per_s": 3.0})
            writer.links(policy, 0, np.full(176, 50.0), np.full(176, 100.0))
        writer.commit()
    page = rendered(tmp_path / "run")
    assert "<script>alert(1)" not in page
    assert page.count("<script") == page.count("</script>")
    read(page)


def test_an_unwritable_page_says_so(folder):
    with open_run(folder / "whole") as run, pytest.raises(OutputError, match="Could not write the report to /proc/"):
        write(run, type(run.folder)("/proc/report.html"))


def test_gaps_in_a_series_are_gaps_in_the_line():
    chart = charts.line_chart(
        {"a": [1.0, 2.0, None, 3.0]}, [0, 1, 2, 3], colours={"a": 0}, show=str, name="x", from_zero=True
    )
    (path,) = re.findall(r'd="([^"]*)"', chart)
    assert path.count("M") == 2
    assert path.startswith("M0 200L333.3 100")  # 1 and 2 of 0…3, from the top of 300


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 0), (5, 5), (-3, 7), (0, 1e-9), (1e6, 1e6 + 1), (0, 97), (0.2, 0.21), (-1e9, 1e12)]
)
def test_ticks_are_round_few_and_enclose(low, high):
    marks = charts.ticks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 7
    steps = np.diff(marks)
    assert np.allclose(steps, steps[0])
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]))
    assert min(abs(mantissa - round_number) for round_number in (1, 2, 2.5, 5, 10)) < 1e-3


def test_utilisation_has_its_limits_in_the_upper_colour():
    assert [network.step(percent) for percent in (0, 19, 20, 79, 80, 95, 140)] == [0, 0, 1, 3, 4, 5, 5]


def test_a_tree_has_its_leaves_around_and_parents_between():
    twins = [{"name": "c", "tier": "cloud", "parent": None}]
    twins += [{"name": f"f{n}", "tier": "fog", "parent": "c"} for n in range(3)]
    twins += [{"name": f"e{n}", "tier": "edge", "parent": f"f{n // 4}"} for n in range(12)]
    spots = network._spots(twins)
    assert spots["c"][:2] == (0.0, 0.0)
    angles = [spots[f"e{n}"][2] for n in range(12)]
    assert np.allclose(np.diff(angles), 2 * math.pi / 12)
    assert spots["f0"][2] == pytest.approx(np.mean(angles[:4]))


def test_markup_escapes_all_but_markup():
    assert tag("p", "<a>", tag("b", "&"), title='"x"') == '<p title="&quot;x&quot;">&lt;a&gt;<b>&amp;</b></p>'
    assert "</script><" not in data("x", {"name": "</script><script>"})[:-9]
