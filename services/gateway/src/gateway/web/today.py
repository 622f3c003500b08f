"""The first page of the day: what is due, whom one meets, who waits for whom; for heads, what their people did."""

from __future__ import annotations

from starlette.responses import Response

from gateway.web.mounting import Page
from gateway.web.visits import Visit


def show_today(visit: Visit) -> Response:
    """The page."""
    return visit.render("today/page.html")


PAGES = (
    Page("GET", "/", lambda visit: visit.go("/today")),
    Page("GET", "/today", show_today),
)
