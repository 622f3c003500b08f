"""Texts that break other programs go through the read models and come back byte for byte, as groups and in keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.errors import RemoteError
from services.reporting.tests.world import keys_of, table_of


def test_hostile_texts_come_back_equal_as_titles_reasons_and_groups(reporting: Any, shared_data: Any) -> None:
    texts = json.loads((shared_data("strings-hostile") / "blns.json").read_text(encoding="utf-8"))
    texts = sorted(
        {text for text in texts if text and "\0" not in text and text.encode("utf-8", "ignore").decode() == text}
    )
    world = reporting.world
    unit = world.a_unit("hq", kind="company")
    pipeline = world.a_pipeline()
    with world.at_once():
        for text in texts:
            world.a_deal(pipeline, unit, "Lost", "1 EUR", close_date="2026-01-01", title=text, loss_reason=text)
    answer = reporting.run("win-rate", group_by="loss_reason")
    assert sorted(row["loss_reason"] for row in table_of(answer)) == texts
    total = keys_of(answer, "totals")[0]["lost"]
    assert sorted(record["title"] for record in reporting.records("win-rate", total, group_by="loss_reason")) == texts
    for row, keys in list(zip(table_of(answer), keys_of(answer), strict=True))[::25]:
        found = reporting.records("win-rate", keys["lost"], group_by="loss_reason")
        assert [record["title"] for record in found] == [row["loss_reason"]]


@pytest.mark.parametrize("text", ["'; DROP TABLE deal; --", "a\0b", "%s", "x" * 5_000])
def test_hostile_parameters_are_refused_by_field(reporting: Any, text: str) -> None:
    for name in ("pipeline_id", "user_id", "product_id", "currency_code", "metric"):
        with pytest.raises(RemoteError) as refused:
            reporting.run("won", **{name: text})
        assert refused.value.violations[0].field == f"parameters.{name}"
    with pytest.raises(RemoteError) as refused:
        reporting.run(text)
    assert refused.value.reason == "REPORT_NOT_FOUND"
