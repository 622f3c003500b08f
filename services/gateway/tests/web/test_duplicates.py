"""Possible duplicates on their page: found by a search, side by side with the reasons, said to be two for good."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from uuid import uuid4

from chassis.jobs import JobRunner
from contacts.searching_duplicates import JOB, fail_search, run_search


def test_a_pair_is_searched_for_compared_and_said_to_be_two(
    platform: Any, admin: Any, a_branch: Any, a_visitor: Any
) -> None:
    mark = "".join(chr(97 + int(digit, 16)) for digit in uuid4().hex[:8])
    unit = a_branch(name=f"Works {mark}")
    steward, head = a_visitor(unit, role="steward"), a_visitor(unit, role="head", name="Hanna Head")
    born = "1976-03-14"
    for family, phone in ((f"Quill{mark}", "+74951234567"), (f"Quiill{mark}", "+74951234576")):
        admin.post("/persons", {
            "display_name": f"Vsevolod {family}", "given_name": "Vsevolod", "family_name": family, "birth_date": born,
            "channels": [{"kind": "phone", "value": phone}], "unit_id": unit["id"],
        })  # fmt: skip
    asked = {"request_id": uuid4().hex, "record_type": "person"}
    assert steward.post("/duplicates/search", asked).status_code == 204
    assert "waits" in steward.get("/duplicates").text
    _run_searches(platform)
    assert "cards compared" in steward.get("/duplicates").text
    page = head.get("/duplicates").text
    assert [one for one in ("nearly the same", "likely one customer", "weight") if one not in page] == []
    [first] = re.findall(rf'href="/customers/([0-9a-f-]+)"><bdi>Vsevolod Quill{mark}<', page)
    [second] = re.findall(rf'href="/customers/([0-9a-f-]+)"><bdi>Vsevolod Quiill{mark}<', page)
    said = {"request_id": uuid4().hex, "first_id": first, "second_id": second, "note": "Twin brothers"}
    assert head.post("/duplicates/dismiss", said).status_code == 204
    assert f"Quill{mark}" not in head.get("/duplicates").text
    remembered = head.get("/duplicates?view=dismissed").text
    assert [one for one in ("Hanna Head", "Twin brothers", mark) if one not in remembered] == []


def _run_searches(platform: Any) -> None:
    """Do the searches that wait, as the worker of contacts would."""
    database = platform.databases["contacts"]
    runner = JobRunner(database, {JOB: partial(run_search, database)}, fail_search)
    while (job := runner.claim()) is not None:
        runner.work(job)
