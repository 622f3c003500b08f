"""How much of a core a platform's processes use for something, PostgreSQL's part for the api process included."""

from __future__ import annotations

import re

import psutil

from branchline.platform.folder import DataFolder, read_json

_CLIENT = re.compile(r"\((\d+)\)")  # a backend's title names the port of its client: postgres: user database host(port)


class ApiUse:
    """The processor time of the api process, and of the PostgreSQL backends that work for it."""

    def __init__(self, folder: DataFolder) -> None:
        pids = {one["name"]: one["pid"] for one in read_json(folder.state)["processes"]}
        self._api, self._server = psutil.Process(pids["api"]), psutil.Process(pids["postgres"])

    def seconds(self) -> tuple[float, float]:
        """Seconds so far: the api process itself, and its backends."""
        return _seconds(self._api), sum(_seconds(one) for one in self._backends())

    def _backends(self) -> list[psutil.Process]:
        ports = {one.laddr.port for one in self._api.net_connections(kind="tcp")}
        found = []
        for process in self._server.children():
            try:
                client = _CLIENT.search(" ".join(process.cmdline()))
            except psutil.Error:
                continue
            if client and int(client.group(1)) in ports:
                found.append(process)
        return found


def _seconds(process: psutil.Process) -> float:
    try:
        used = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system)
