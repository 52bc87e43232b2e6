"""The report page: one HTML file that needs no other file, no network and no extra package.

The same run gives the same bytes: the page holds no date and no random identifier.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tiertwin.report import certificate, sections, watched
from tiertwin.report.figures import Figures
from tiertwin.report.markup import Markup, join, tag
from tiertwin.store import StoredRun
from tiertwin.store.folder import writing

# nothing may be fetched, whatever a name in the scenario says
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def write(run: StoredRun, path: Path) -> Path:
    """Write the page of `run` to `path` and return it.

    Raises
    ------
    OutputError
        `path` cannot be written.
    """
    text = render(run)
    with writing("the report", path):
        path.write_text(text, encoding="utf-8")
    return path


def render(run: StoredRun) -> str:
    """Return the page of `run` as HTML."""
    figures = Figures(run)
    first = figures.first
    network_parts = sections.topology(figures)  # asked for first: it notes what is missing
    noticed = watched.watched(figures)
    body = join(
        sections.header(figures),
        _contents(noticed is not None),
        tag(
            "main",
            sections.section(
                f"At a glance: {first}", sections.cards(figures), sections.claims(figures), identity="glance"
            ),
            sections.section(
                "The network", network_parts, identity="network", lead="What its links and sites carried."
            ),
            sections.section(
                "Policies compared",
                sections.comparison(figures),
                identity="policies",
                lead="Same seed, same world: every policy met the same devices, tasks, losses and noise.",
            ),
            sections.section("Certificate", certificate.certificate(figures), identity="certificate"),
            sections.section("Over time", sections.time_series(figures), identity="time"),
            _noticed(noticed),
            sections.section("The tree of twins", sections.twins(figures), identity="twins"),
            sections.section("On the wire", sections.wire(figures), identity="wire"),
        ),
        tag(
            "footer",
            tag("p", "KPI names and their definitions are fixed; hover over a row of the table to read one."),
            tag("p", f"Made by tiertwin {run.versions.get('tiertwin', '')} from {run.folder.name}. "),
        ),
    )
    return _document(f"{run.scenario.get('name', 'run')}, seed {run.seed}", body)


def _noticed(found: Markup | None) -> Markup | None:
    if found is None:
        return None
    lead = "What fogs and cloud made of it: incidents, and causes likelier than not."
    return sections.section("Faults noticed", found, identity="faults", lead=lead)


def _contents(noticed: bool) -> Markup:
    entries = (
        ("glance", "Glance"),
        ("network", "Network"),
        ("policies", "Policies"),
        ("certificate", "Certificate"),
        ("time", "Time"),
        *((("faults", "Faults"),) if noticed else ()),
        ("twins", "Twins"),
        ("wire", "Wire"),
    )
    links = [tag("a", text, href=f"#{identity}") for identity, text in entries]
    return tag("nav", *links, aria_label="Sections")


def _document(title: str, body: Markup) -> str:
    here = files("tiertwin.report")
    style = Markup(here.joinpath("style.css").read_text(encoding="utf-8"))
    script = Markup(here.joinpath("script.js").read_text(encoding="utf-8"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),  # or a browser asks for /favicon.ico
        tag("title", f"tiertwin: {title}"),
        tag("style", style),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body, tag('script', script)), lang='en')}\n"
