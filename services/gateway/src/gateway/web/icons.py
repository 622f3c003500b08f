"""The small line drawings of the workplace, 24 by 24, drawn by us with strokes in the text's colour."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup

_PATHS = {
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
    "users": "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21v-1a6 6 0 0 1 6-6h2a6 6 0 0 1 6 6v1M16 3.5a4 4 0 0 1 0 7M18 14.5a6 6 0 0 1 4 5.5v1",
    "user": "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M5 21v-1a6 6 0 0 1 6-6h2a6 6 0 0 1 6 6v1",
    "building": "M4 21V4h10v17M14 9h6v12M2 21h20M7 8h1M10 8h1M7 12h1M10 12h1M7 16h1M10 16h1M17 13h0.5M17 17h0.5",
    "columns": "M3 4h5v16H3zM9.5 4h5v11h-5zM16 4h5v7h-5z",
    "calendar": "M4 5h16v16H4zM8 2v5M16 2v5M4 10h16M8 14h2M14 14h2M8 17h2",
    "upload": "M4 16v4h16v-4M12 16V4M7 9l5-5 5 5",
    "download": "M4 16v4h16v-4M12 4v12M7 11l5 5 5-5",
    "chart": "M4 4v16h17M8 17v-5M12.5 17V8M17 17v-7",
    "settings": "M4 7h9M17 7h3M15 5v4M4 12h3M11 12h9M9 10v4M4 17h11M19 17h1M17 15v4",
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 21 21",
    "plus": "M12 5v14M5 12h14",
    "phone": "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2",
    "mail": "M3 6h18v12H3zM3 7l9 6 9-6",
    "note": "M5 3h10l4 4v14H5zM15 3v4h4M8 12h8M8 16h5",
    "meeting": "M3 5h18v11H3zM8 20h8M12 16v4",
    "chat": "M4 5h16v11H10l-5 4v-4H4z",
    "check": "M5 12l5 5 9-10",
    "close": "M6 6l12 12M18 6 6 18",
    "menu": "M4 6h16M4 12h16M4 18h16",
    "dots": "M12 5v.01M12 12v.01M12 19v.01",
    "left": "M15 5l-7 7 7 7",
    "right": "M9 5l7 7-7 7",
    "down": "M6 9l6 6 6-6",
    "edit": "M4 20h4L20 8l-4-4L4 16zM14 6l4 4",
    "copy": "M8 8h12v12H8zM16 8V4H4v12h4",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3 3",
    "bell": "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
    "warning": "M12 3 2 20h20zM12 10v4M12 17v.01",
    "info": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5M12 8v.01",
    "filter": "M4 5h16l-6 8v6l-4 2v-8z",
    "help": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 17v.01",
    "moon": "M20 14a8 8 0 1 1-9-10 6.5 6.5 0 0 0 9 10",
    "money": "M3 6h18v12H3zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M6 9.5v0M18 14.5v0",
    "task": "M4 4h16v16H4zM8 12l3 3 5-6",
    "history": "M4 12a8 8 0 1 0 2.5-5.8L4 8M4 4v4h4M12 8v4l3 2",
    "hand": "M4 12h10M10 8l4 4-4 4M18 4v16",
    "table": "M3 5h18v14H3zM3 10h18M3 15h18M9 5v14",
    "tree": "M9 3h6v5H9zM3 16h6v5H3zM15 16h6v5h-6zM12 8v4M6 16v-4h12v4",
    "refresh": "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
    "logout": "M14 8V4H4v16h10v-4M9 12h12M17 8l4 4-4 4",
    "globe": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
    "box": "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
    "target": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 12v.01",
}


@cache
def icon(name: str, label: str = "") -> Markup:
    """The drawing `name` as inline SVG; read aloud as `label`, or passed over where there is none."""
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="icon" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" {}><path d="{}"/></svg>'
    ).format(spoken, _PATHS[name])
