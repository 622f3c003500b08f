"""What is known of a platform from here: its processes and memory, and what its services say through the gateway."""

from __future__ import annotations

from typing import Any

from branchline.exits import Failure
from branchline.platform.claim import find_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.memory import MEGABYTE, resident_bytes


def describe_platform(folder: DataFolder) -> dict[str, Any]:
    """Everything `branchline status` shows. Units: `resident_mb` in MiB, as platform/memory.py counts."""
    holder = find_holder(folder)
    if holder is None:
        return {"running": False, "data": str(folder.path)}
    state = read_json(folder.state)
    processes = [{**one, "resident_mb": _megabytes(one["pid"])} for one in state.get("processes", [])]
    supervisor = {
        "name": "supervisor",
        "pid": holder.pid,
        "state": "ready",
        "restarts": 0,
        "resident_mb": _own_megabytes(holder.pid),
    }
    described = {
        "running": True,
        "phase": state.get("phase", ""),
        "url": read_json(folder.credentials).get("url", ""),
        "data": str(folder.path),
        "bus": state.get("bus", ""),
        "seconds_to_ready": state.get("seconds_to_ready"),
        "processes": [supervisor, *processes],
        "resident_mb": round(supervisor["resident_mb"] + sum(one["resident_mb"] for one in processes), 1),
    }
    return described | _services(folder)


def _services(folder: DataFolder) -> dict[str, Any]:
    """What the gateway says; a platform that is still starting or degraded is described without it."""
    from branchline.rest import connect

    try:
        with connect(folder, patience=0) as rest:
            return {"services": rest.get("/status")}
    except Failure as trouble:
        return {"services": None, "services_message": trouble.message}


def _megabytes(pid: int | None) -> float:
    return round(resident_bytes(pid) / MEGABYTE, 1)


def _own_megabytes(pid: int) -> float:
    return round(resident_bytes(pid, below=False) / MEGABYTE, 1)
