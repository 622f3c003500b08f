"""Turns a template and values into a page: layout, navigation, language, addresses of assets, headers.

Templates that extend `frame/page.html` are pages; all others are parts that htmx puts into one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from gateway.web import texts
from gateway.web.assets import asset_url
from gateway.web.folding import FoldingEnvironment, fixed_text
from gateway.web.icons import icon
from gateway.web.navigation import list_places
from gateway.web.values import FILTERS

if TYPE_CHECKING:
    from gateway.web.visits import Visit

TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser says `Origin: null` of our own forms
    "Cache-Control": "private, no-cache",
    "Vary": "HX-Request, Cookie, Accept-Language",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Frame:
    """Renders templates; one for all requests."""

    def __init__(self, unit_choice: Callable[[Visit], Any]) -> None:
        self._environments: dict[str, FoldingEnvironment] = {}
        self._unit_choice = unit_choice  # asked for by whole pages only

    def _template(self, spoken: texts.Texts, name: str) -> Template:
        environment = self._environments.get(spoken.language)
        if environment is None:
            environment = self._environments.setdefault(spoken.language, make_environment(spoken))
        return environment.get_template(name)

    def render(
        self, visit: Visit, template: str, status: int, headers: Mapping[str, str] | None, values: Mapping[str, Any]
    ) -> Response:
        """A template for the person of a visit."""
        body = self._template(visit.texts, template).render(
            v=visit,
            t=visit.texts,
            places=list_places(visit),
            unit_choice=self._unit_choice,
            csrf=visit.session.csrf_token(),
            rendered=visit.begin_ms,
            **values,
        )
        return HTMLResponse(body, status, {**HEADERS, **(headers or {})})

    def draw(self, spoken: texts.Texts, template: str, **values: Any) -> Markup:
        """A part of a page that is the same for whoever sees these values in this language and zone."""
        return Markup(self._template(spoken, template).render(v=None, t=spoken, **values))  # noqa: S704

    def render_bare(self, spoken: texts.Texts, template: str, status: int, values: Mapping[str, Any]) -> Response:
        """A template for somebody who is not signed in."""
        body = self._template(spoken, template).render(v=None, t=spoken, **values)
        return HTMLResponse(body, status, HEADERS)


def make_environment(spoken: texts.Texts) -> FoldingEnvironment:
    """The templates of one language."""
    environment = FoldingEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        texts.gettext, texts.ngettext, newstyle=True, pgettext=texts.pgettext
    )
    environment.filters.update(FILTERS)
    environment.globals.update(asset=asset_url, icon=icon, languages=texts.LANGUAGES)
    environment.fixed = {
        "asset": asset_url,
        "icon": icon,
        **dict.fromkeys(("_", "gettext"), fixed_text(spoken.gettext)),
        "pgettext": fixed_text(spoken.pgettext),
    }
    # </script> and friends inside JSON for widgets; Jinja's own tojson does this already.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    return environment
