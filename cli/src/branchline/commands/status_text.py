"""How `branchline status` reads on a screen."""

from __future__ import annotations

from typing import Any

from branchline.screen import table

BUSES = {"pgmq": "inside PostgreSQL", "amqp": "RabbitMQ"}


def status_text(found: dict[str, Any]) -> str:
    """Processes, then services with their lag and parked events."""
    head = f"{found['phase']} at {found['url']}, bus {BUSES.get(found['bus'], found['bus'])}, data in {found['data']}"
    rows = [
        [one["name"], one["state"], str(one["pid"] or ""), str(one["restarts"]), f"{one['resident_mb']:.0f} MB"]
        for one in found["processes"]
    ]
    rows.append(["together", "", "", "", f"{found['resident_mb']:.0f} MB"])
    parts = [head, "", table(["process", "state", "pid", "restarts", "resident"], rows, figures=(2, 3, 4))]
    if found["services"] is None:
        parts += ["", f"services: {found['services_message']}"]
    else:
        parts += ["", _services_table(found["services"])]
    return "\n".join(parts)


def _services_table(answer: dict[str, Any]) -> str:
    rows = [
        ["" if one.get(name) is None else str(one[name]) for name in ("service", "status", "lag", "parked")]
        for one in answer.get("services", [])
    ]
    return table(["service", "status", "events behind", "parked"], rows, figures=(2, 3))
