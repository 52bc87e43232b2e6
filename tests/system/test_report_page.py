"""The report page as a browser sees it: nothing logged, nothing fetched, no sideways scroll, and its controls work."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import chromium
from support.fake_run import POLICIES, write_run
from tiertwin.report.page import write
from tiertwin.store import open_run

pytestmark = pytest.mark.skipif(chromium.missing() is not None, reason=chromium.missing() or "")

SIZES = ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))


@dataclasses.dataclass
class Made:
    browser: chromium.Page
    complete: Path
    interrupted: Path
    empty: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    base = tmp_path_factory.mktemp("pages")
    write_run(base / "complete", epochs=60)
    write_run(base / "interrupted", epochs=4, policies=POLICIES[:2], finish=False, wanted=60)
    write_run(base / "empty", epochs=0, finish=False)
    pages = []
    for name in ("complete", "interrupted", "empty"):
        with open_run(base / name) as run:
            pages.append(write(run, base / f"{name}.html"))
    with chromium.page() as browser:
        yield Made(browser, *pages)


@pytest.mark.parametrize(("width", "scheme"), SIZES)
@pytest.mark.parametrize("which", ["complete", "interrupted", "empty"])
def test_a_page_is_quiet_self_contained_and_fits(made, which, width, scheme):
    path = getattr(made, which)
    made.browser.open(path, width, scheme=scheme)
    assert made.browser.complaints() == []
    assert made.browser.requests() == []
    assert made.browser.evaluate("innerWidth") == width
    assert made.browser.evaluate("document.documentElement.scrollWidth") <= width
    made.browser.evaluate("scrollTo(500, 0)")
    assert made.browser.evaluate("scrollX") == 0
    assert path.stat().st_size <= 2_000_000


def test_the_slider_repaints_the_map(made):
    browser = made.browser
    browser.open(made.complete, 1280)
    classes = "[...document.querySelectorAll('#map .link')].map((line) => line.getAttribute('class')).join()"
    before = browser.evaluate(classes)
    assert browser.evaluate("document.querySelectorAll('#map .link').length") == 88
    browser.evaluate(
        "{ const when = document.getElementById('when'); when.value = 2; when.dispatchEvent(new Event('input')); }"
    )
    assert browser.evaluate("document.getElementById('epoch').textContent") == "2"
    assert browser.evaluate(classes) != before
    quiet = browser.evaluate(classes)
    browser.evaluate(
        "{ const whose = document.getElementById('whose'); whose.value = 'cloud-only';"
        "whose.dispatchEvent(new Event('change')); }"
    )
    assert browser.evaluate(classes) != quiet
    assert browser.complaints() == []


def test_policies_can_be_hidden_and_values_read(made):
    browser = made.browser
    browser.open(made.complete, 1280)
    hidden = "[...document.querySelectorAll('[data-p=static]')].filter((path) => path.style.display === 'none').length"
    assert browser.evaluate(hidden) == 0
    browser.evaluate("document.querySelector('[data-toggle=static]').click()")
    assert browser.evaluate(hidden) >= 6
    browser.evaluate(
        """{ const area = document.querySelector('[data-chart=latency_p95_ms] .area');
        const box = area.getBoundingClientRect();
        area.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + box.width / 2, bubbles: true })); }"""
    )
    tip = browser.evaluate("document.querySelector('.tip').innerText")
    assert tip.startswith("epoch 30\nhierarchical ")
    browser.evaluate(
        "document.querySelector('[data-chart=latency_p95_ms] .area').dispatchEvent(new PointerEvent('pointerleave'))"
    )
    assert browser.evaluate("document.querySelectorAll('.tip, .cursor').length") == 0
    assert browser.complaints() == []


def test_the_page_reads_without_its_script(made):
    """Every letter of the page is in its HTML: axis, table, legend and titles."""
    text = made.complete.read_text(encoding="utf-8")
    for words in ("Policies compared", "Frankfurt", "0.0240 %", "Log hash", "Certified gap", "device → edge"):
        assert words in text.split("<script", maxsplit=1)[0] or words in text
