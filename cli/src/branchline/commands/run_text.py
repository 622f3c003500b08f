"""How a run, its counts, columns and findings read on a screen."""

from __future__ import annotations

from typing import Any

from branchline.runs import FATES, counts_of
from branchline.screen import table

MOST_FINDINGS = 20  # more than a screenful; the result file has them all


def report_of(outcome: dict[str, Any]) -> str:
    """One run with its findings and where to go on."""
    run = outcome["run"]
    lines = [checked_text(run, outcome["findings"])]
    if run["state"] == "finished":
        lines.append("loaded: " + counts_text(counts_of(run, "actual")))
    elif run["state"] == "waiting" and run.get("blocked"):
        lines.append("not loaded: mend the file or the mapping and import it again")
    elif run["state"] == "waiting":
        lines.append(f"nothing is loaded yet; ./branchline runs {run['id']} --confirm loads it")
    elif run["state"] in ("failed", "cancelled"):
        lines.append(f"{run['state']}: {run.get('message') or 'see the findings'}")
    return "\n".join(lines) + "\n"


def checked_text(run: dict[str, Any], findings: list[dict[str, Any]]) -> str:
    """What the dry run found: columns, counts, findings."""
    name = (run.get("file") or {}).get("name", "")
    lines = [f"{name} ({run['kind']}), run {run['id']}"]
    columns = [f"{one['column']} = {one['field']}" for one in run.get("mapping") or [] if one.get("field")]
    left_out = [one["column"] for one in run.get("mapping") or [] if not one.get("field")]
    if columns:
        lines.append("columns: " + ", ".join(columns))
    if left_out:
        lines.append("left out: " + ", ".join(left_out))
    if counts_of(run, "expected")["rows_read"]:
        lines.append("checked: " + counts_text(counts_of(run, "expected")))
    lines += [finding_text(one) for one in findings[:MOST_FINDINGS]]
    if len(findings) > MOST_FINDINGS:
        lines.append(f"  and {len(findings) - MOST_FINDINGS} findings more")
    return "\n".join(lines)


def counts_text(counts: dict[str, int]) -> str:
    """`12 rows = 10 created + 2 merged`, which always adds up."""
    parts = [f"{counts[fate]:,} {fate}" for fate in FATES if counts[fate]]
    return f"{counts['rows_read']:,} rows = {' + '.join(parts) or 'no fates yet'}"


def undo_text(run: dict[str, Any], kept: list[dict[str, Any]]) -> str:
    """What undoing a run did, or would do, with what stays."""
    undo = run["undo"]
    if undo["message"]:
        return f"The run could not be undone: {undo['message']}"
    would = "Undoing would do: " if undo["dry_run"] else "Undone: "
    counts = ", ".join(f"{int(undo.get(name) or 0):,} {name}" for name in ("removed", "restored", "kept"))
    lines = [
        f"  {one['display_name'] or one['record_id']}: {one['reason']}"
        + (f" ({', '.join(one['fields'])})" if one["fields"] else "")
        for one in kept
    ]
    return "\n".join([would + counts, *lines])


def finding_text(finding: dict[str, Any]) -> str:
    """A finding with its place and the way out."""
    sheet, cell = finding.get("sheet") or "", finding.get("cell") or ""
    place = cell if "!" in cell else "!".join(part for part in (sheet, cell) if part)
    if place and not cell and int(finding.get("row") or 0):
        place += f", row {int(finding['row']):,}"
    near = f"nearest: {', '.join(finding['suggestions'])}" if finding.get("suggestions") else ""
    parts = [finding["message"], finding.get("way_out") or "", near]
    text = "; ".join(part.rstrip(". ") for part in parts if part)
    return f"  {finding['severity']:<8}{place + ': ' if place else ''}{text}"


def list_text(runs: list[dict[str, Any]]) -> str:
    """All runs, a line each."""
    rows = [
        [
            run["id"], str(run.get("create_time") or "")[:16].replace("T", " "), run["kind"],
            (run.get("file") or {}).get("name", ""), "blocked" if run.get("blocked") else run["state"],
            counts_text(counts_of(run, "actual" if run["state"] == "finished" else "expected")),
        ]
        for run in runs
    ]  # fmt: skip
    return table(["run", "made", "kind", "file", "state", "rows"], rows) if rows else "no runs yet"
