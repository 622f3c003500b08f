"""Import runs as the command line and the demo drive them: upload, check, confirm, wait, read what came out.

Speaks REST only. A run goes on in the platform whatever happens here; asking again for its state is always safe.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from branchline.exits import Failure
from branchline.rest import Rest

# Between looks at a run: a short one ends while somebody watches, a long one is not kept from its work by looks.
FIRST_POLL, LAST_POLL, POLL_GROWTH = 0.15, 0.6, 1.1
AT_WORK = frozenset({"queued", "inspecting", "checking", "loading", "undoing"})
FATES = ("created", "updated", "unchanged", "merged", "refused")
Tell = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Wanted:
    """What is to be imported and how it is to be read; empty things are proposed and detected by the platform."""

    file: Path
    unit: str
    kind: str
    template: str = ""
    source: str = ""
    template_version: int = 0  # the newest
    options: dict[str, Any] = field(default_factory=dict)
    mapping: list[dict[str, Any]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    unattended: bool = False  # goes on to its load by itself where nothing forbids it


def check_file(rest: Rest, wanted: Wanted, tell: Tell) -> dict[str, Any]:
    """Upload a file and have it checked whole; answers the run, which waits, or has failed.

    An unattended one that nothing forbids to load has ended. Errors: Failure.
    """
    tell(f"{wanted.file.name}: uploading", 0.0)
    file_id = upload_file(rest, wanted.file, lambda share: tell(f"{wanted.file.name}: uploading", share))
    body: dict[str, Any] = {"file_id": file_id, "kind": wanted.kind, "unit_id": wanted.unit}
    named = {
        "template_name": wanted.template, "template_version": wanted.template_version, "source": wanted.source,
        "options": wanted.options, "mapping": wanted.mapping, "choices": wanted.choices,
        "unattended": wanted.unattended,
    }  # fmt: skip
    body |= {name: value for name, value in named.items() if value}
    run = _run_of(rest.post("/runs", body, key=str(uuid.uuid4())))
    return wait_for_run(rest, run["id"], tell)


def upload_file(rest: Rest, path: Path, tell: Callable[[float], None]) -> str:
    """Send a file in chunks and answer its id; a chunk that got lost on the way is sent again. Errors: Failure."""
    if not path.is_file():
        raise Failure(f"there is no file {path}", reason="FILE_MISSING")
    size = path.stat().st_size
    begun = rest.post("/files", {"name": path.name, "size_bytes": size}, key=str(uuid.uuid4()))
    file_id, chunk = begun["file"]["id"], int(begun["chunk_bytes"])
    digest = hashlib.sha256()
    with path.open("rb") as content:
        for offset in range(0, size, chunk):
            data = content.read(chunk)
            digest.update(data)
            rest.put_bytes(f"/files/{file_id}/chunks", data, offset=offset)
            tell((offset + len(data)) / size)
    rest.post(f"/files/{file_id}/complete", {"sha256": digest.hexdigest()}, key=str(uuid.uuid4()))
    return str(file_id)


def wait_for_run(rest: Rest, run_id: str, tell: Tell) -> dict[str, Any]:
    """Wait until a run no longer works by itself, telling its progress."""
    pause = FIRST_POLL
    while True:
        run = read_run(rest, run_id)
        if run["state"] not in AT_WORK:
            return run
        name = (run.get("file") or {}).get("name") or run_id
        tell(f"{name}: {run['state']}", float(run.get("progress") or 0))
        time.sleep(pause)
        pause = min(pause * POLL_GROWTH, LAST_POLL)


def confirm_run(rest: Rest, run_id: str, tell: Tell) -> dict[str, Any]:
    """Have a checked run loaded and wait for its end. Errors: Failure RUN_BLOCKED, RUN_NOT_WAITING."""
    rest.post(f"/runs/{run_id}/confirm", key=str(uuid.uuid4()))
    return wait_for_run(rest, run_id, tell)


def cancel_run(rest: Rest, run_id: str) -> dict[str, Any]:
    """End a run; what is loaded stays."""
    return _run_of(rest.post(f"/runs/{run_id}/cancel", key=str(uuid.uuid4())))


def undo_run(rest: Rest, run_id: str, tell: Tell, *, dry_run: bool) -> dict[str, Any]:
    """Take back what a run did, or only count what that would do, and wait for its end. Errors: Failure."""
    rest.post(f"/runs/{run_id}/undo", {"dry_run": dry_run}, key=str(uuid.uuid4()))
    while True:
        run = wait_for_run(rest, run_id, tell)
        if run["undo"]["done"] or run["undo"]["message"]:
            return run
        time.sleep(LAST_POLL)


def list_kept(rest: Rest, run_id: str) -> list[dict[str, Any]]:
    """What stays although the run is undone, with the reason."""
    return list(rest.pages(f"/runs/{run_id}/kept", "kept"))


def read_run(rest: Rest, run_id: str) -> dict[str, Any]:
    """One run."""
    return _run_of(rest.get(f"/runs/{run_id}"))


def list_runs(rest: Rest, unit: str = "") -> Iterator[dict[str, Any]]:
    """All runs, youngest first."""
    return (_plain(run) for run in rest.pages("/runs", "runs", unit=unit))


def list_findings(rest: Rest, run_id: str) -> list[dict[str, Any]]:
    """What a person should look at, worst first."""
    return list(rest.pages(f"/runs/{run_id}/findings", "findings"))


def list_rows(rest: Rest, run_id: str, fate: str = "") -> Iterator[dict[str, Any]]:
    """Rows with their fates, in file order."""
    return rest.pages(f"/runs/{run_id}/rows", "rows", fate=fate)


def download_result(rest: Rest, run_id: str, target: Path) -> int:
    """Write the result file, XLSX or CSV by the target's ending; answers its bytes. Errors: Failure."""
    wanted = target.suffix.lstrip(".").lower() or "xlsx"
    return download(rest, f"/runs/{run_id}/result", target, format=wanted)


def download(rest: Rest, path: str, target: Path, **parameters: str) -> int:
    """Write an answer that is a file; half of one never stands under its name. Answers its bytes. Errors: Failure."""
    draft = target.with_name(target.name + ".part")
    with rest.stream(path, **parameters) as pieces, draft.open("wb") as output:
        for piece in pieces:
            output.write(piece)
    draft.replace(target)
    return target.stat().st_size


def counts_of(run: dict[str, Any], which: str) -> dict[str, int]:
    """Counts of the dry run (`expected`) or the load (`actual`) as whole numbers."""
    found = run.get(which) or {}
    return {name: int(found.get(name) or 0) for name in ("rows_read", *FATES, "rows_skipped")}


def _run_of(answer: dict[str, Any]) -> dict[str, Any]:
    return _plain(answer.get("run", answer))


def _plain(run: dict[str, Any]) -> dict[str, Any]:
    return {**run, "state": str(run["state"]).removeprefix("RUN_STATE_").lower()}
