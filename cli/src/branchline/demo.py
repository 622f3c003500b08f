"""The demo: the main job on the shipped workbooks of three branches of an invented company, over REST like any user.

Everything may be run again: units and users that are there stay, and importing the same files changes nothing.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from branchline.commands.report_text import report_text
from branchline.commands.run_text import counts_text, finding_text
from branchline.exits import Failure
from branchline.platform.folder import ROOT, DataFolder, read_json, write_json
from branchline.rest import Rest
from branchline.runs import Wanted, check_file, confirm_run, counts_of, list_findings
from branchline.screen import Progress, Screen

FOLDER = ROOT / "demo"
FINDINGS_SHOWN = 5
SOURCES = ("directory", "contacts", "deals", "imports")  # what reporting listens to
REPORTS_SECONDS, PAUSE_SECONDS = 60.0, 0.1


def read_company(folder: Path = FOLDER) -> dict[str, Any]:
    """What the demo sets up and imports. Errors: Failure where the demo is not beside the command."""
    found = read_json(folder / "company.json")
    if not found:
        raise Failure(f"the demo's files are not in {folder}; it needs a checkout", reason="NO_CHECKOUT")
    return found


@dataclass
class Demo:
    """One run of the demo against a platform; `outcomes` is what became of each file."""

    screen: Screen
    rest: Rest
    data: DataFolder
    facts: dict[str, Any]

    def run(self) -> dict[str, Any]:
        """Set up the company, import its files, run the reports. Errors: Failure."""
        self._ensure_units()
        self._ensure_users()
        self._ensure_rates()
        outcomes = [self._import_file(entry) for entry in self.facts["files"]]
        await_reports(self.rest)
        return {"files": outcomes, "reports": self._run_reports()}

    def _ensure_units(self) -> None:
        known = {unit["code"] for unit in self.rest.pages("/units", "units")}
        for wanted in self.facts["units"]:
            if wanted["code"] not in known:
                fields = {key: value for key, value in wanted.items() if key != "parent"}
                self.rest.post("/units", {**fields, "parent_id": wanted["parent"]}, key=f"demo-unit-{wanted['code']}")
        self.screen.say(f"units: {', '.join(unit['name'] for unit in self.facts['units'])}")

    def _ensure_users(self) -> None:
        known = {user["display_name"] for user in self.rest.pages("/users", "users")}
        units = {unit["code"]: unit["id"] for unit in self.rest.pages("/units", "units")}
        kept = read_json(self.data.credentials)
        passwords = dict(kept.get("demo_users", {}))
        for wanted in self.facts["users"]:
            if wanted["login"]:
                passwords.setdefault(wanted["login"], secrets.token_urlsafe(12))
        write_json(self.data.credentials, {**kept, "demo_users": passwords})
        for number, wanted in enumerate(self.facts["users"], 1):
            if wanted["name"] not in known:
                body = self._new_user(wanted, units[wanted["unit"]], passwords.get(wanted["login"], ""))
                self.rest.post("/users", body, key=f"demo-user-{number}")
        self.screen.say(f"users: {', '.join(user['name'] for user in self.facts['users'])}")

    def _new_user(self, wanted: dict[str, str], unit_id: str, password: str) -> dict[str, Any]:
        position = {"unit_id": unit_id, "title": wanted["title"], "role": wanted["role"]}
        body: dict[str, Any] = {"display_name": wanted["name"], "positions": [position]}
        return body | ({"login": wanted["login"], "password": password} if wanted["login"] else {})

    def _ensure_rates(self) -> None:
        known = {(rate["from_currency"], rate["start_date"]) for rate in self.rest.pages("/exchange_rates", "rates")}
        for rate in self.facts["exchange_rates"]:
            if (rate["from_currency"], rate["start_date"]) not in known:
                self.rest.post("/exchange_rates", rate, key=f"demo-rate-{rate['from_currency']}-{rate['start_date']}")

    def _import_file(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Check one file and load it; a file that must be stopped is shown with its findings instead."""
        progress = Progress(self.screen)
        wanted = Wanted(FOLDER / "workbooks" / entry["file"], entry["unit"], entry["kind"])
        run = check_file(self.rest, wanted, progress.tell)
        stopped = bool(run.get("blocked"))
        findings = list_findings(self.rest, run["id"])
        if run["state"] == "waiting" and not stopped:
            run = confirm_run(self.rest, run["id"], progress.tell)
        progress.end()
        self._tell_outcome(entry, run, findings)
        if stopped != bool(entry.get("stopped")) or (not stopped and run["state"] != "finished"):
            raise Failure(f"{entry['file']}: {run.get('message') or run['state']}", reason="DEMO_FAILED", run=run)
        return {"file": entry["file"], "run_id": run["id"], "stopped": stopped, "counts": counts_of(run, "actual")}

    def _tell_outcome(self, entry: dict[str, Any], run: dict[str, Any], findings: list[dict[str, Any]]) -> None:
        counts = counts_text(counts_of(run, "actual" if run["state"] == "finished" else "expected"))
        verdict = "stopped, nothing of it is loaded:" if run.get("blocked") else counts
        self.screen.say(f"{entry['unit']:<8}{entry['file']:<34}{verdict}")
        for finding in [one for one in findings if one["severity"] == "error"][:FINDINGS_SHOWN]:
            self.screen.say(finding_text(finding))
        if run.get("blocked"):
            self.screen.say("  the branch mends the cell and sends the file again:")

    def _run_reports(self) -> dict[str, Any]:
        """The consolidated figures of the period, and the month's sets against their plan."""
        period, month = self.facts["period"], self.facts["set"]
        products = {product["name"]: product["id"] for product in self.rest.pages("/products", "products")}
        asked: dict[str, tuple[str, dict[str, Any]]] = {
            "customers": ("customers", {"group_by": ["branch"]}),
            "funnel": ("funnel", period),
            "won": ("won", {**period, "group_by": ["branch"]}),
            "plan-fact": ("plan-fact", {**period, "group_by": ["branch"]}),
            "sets": ("plan-fact", {
                "from": month["from"], "to": month["to"], "group_by": ["branch"], "metric": "quantity",
                "product_id": products[month["product"]],
            }),
        }  # fmt: skip
        return {title: self.rest.get(f"/reports/{name}", **parameters) for title, (name, parameters) in asked.items()}


def await_reports(rest: Rest, within: float = REPORTS_SECONDS) -> None:
    """Wait until reporting has heard of all that is stored now. Errors: Failure after `within` seconds."""
    end = time.monotonic() + within
    lags = [rest.get(f"/services/{name}/lag") for name in SOURCES]
    wanted = {lag["source"]: int(lag["last_position"]) + int(lag["unnumbered"]) for lag in lags}
    while True:
        there = rest.get("/freshness")["positions"]
        if all(int(there.get(source, 0)) >= position for source, position in wanted.items()):
            return
        if time.monotonic() > end:
            raise Failure("the reports are not up to date yet; see ./branchline status", reason="REPORTS_BEHIND")
        time.sleep(PAUSE_SECONDS)


TITLES = {
    "customers": "Customers, each counted once in the company",
    "funnel": "Funnel of the first quarter",
    "won": "Won deals by branch",
    "plan-fact": "Revenue, plan and fact",
    "sets": "Lamp sets sold in March, plan and fact",
}


def demo_text(found: dict[str, Any], data: DataFolder) -> str:
    """The consolidated report and where to go on."""
    parts = [f"\n{TITLES[name]}\n\n{report_text(answer)}" for name, answer in found["reports"].items()]
    kept = read_json(data.credentials)
    heads = ", ".join(kept.get("demo_users", {}))
    return "\n".join([
        *parts,
        "",
        f"The platform goes on running at {kept.get('url')}",
        f"  sign in as {kept.get('login')}, or as a branch's head ({heads}); passwords are in {data.credentials}",
        "  ./branchline runs                                    every import with its counts",
        "  ./branchline report won --group-by person            the same figures in another way",
        "  ./branchline import FILE --unit tula --kind persons   a file of yours",
        "  ./branchline status                                  processes and their memory",
        "  ./branchline down                                    stops it; the data stay",
    ])  # fmt: skip


def known_figures() -> dict[str, Any]:
    """The figures the demo must come to, as its workbooks' maker worked them out."""
    found: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return found
