"""The OpenAPI document, and that every field of the contract is in it."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from gateway.app import AREAS
from gateway.json_values import fill, to_json
from gateway.schemas import READ_ONLY, answer_model, body_model

from .conftest import Platform

OPEN_OPERATIONS = {"signIn", "refreshToken", "signOut", "getHealth"}
CALLS = [call for calls in AREAS.values() for call in calls]


@pytest.fixture
def document(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = platform.guest().get("/openapi.json")
    return found


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_operation_has_its_own_id_a_refusal_and_says_whether_it_needs_a_token(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len({one["operationId"] for one in found}) == len(found)
    for one in found:
        assert one["responses"]["default"]["content"].keys() == {"application/problem+json"}
        assert ("security" in one) == (one["operationId"] not in OPEN_OPERATIONS), one["operationId"]
        assert "422" not in one["responses"]


def test_paths_are_snake_case_below_one_prefix(document: dict[str, Any]) -> None:
    for path in document["paths"]:
        assert path.startswith("/api/v1/")
        assert path == path.lower()
        assert "-" not in path


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.rpc)
def test_every_field_of_an_answer_is_described(call: Any) -> None:
    kind = call.response_kind
    if call.answer:
        kind = kind.fields_by_name[call.answer].message_type
    assert set(answer_model(kind).model_fields) == set(kind.fields_by_name)
    assert set(to_json(_empty(kind))) == set(kind.fields_by_name)


@pytest.mark.parametrize("call", [one for one in CALLS if one.body not in ("", "*")], ids=lambda call: call.rpc)
def test_a_body_takes_every_field_of_the_resource_but_the_read_only_ones(call: Any) -> None:
    kind = call.request_type.DESCRIPTOR.fields_by_name[call.body].message_type
    taken = set(body_model(kind, "Body").model_fields)
    assert taken == set(kind.fields_by_name) - set(READ_ONLY.get(kind.full_name, "").split())


def test_values_come_back_as_they_went_in() -> None:
    from crm.deals.v1 import deals_pb2 as pb

    values = {
        "title": "Ünïcode 北京",
        "amount": {"amount": "-1234.567", "currency_code": "EUR"},
        "open_date": "0999-12-31",
        "attributes": {"a": "b"},
        "line_items": [{"quantity": "1.5", "unit_price": {"amount": "0.10", "currency_code": "USD"}}],
        "create_time": "2026-01-31T09:30:00.123456Z",
        "status": "won",
    }
    deal = pb.Deal()
    fill(deal, values)
    shown = to_json(deal)
    assert {name: shown[name] for name in values if name != "line_items"} == {
        name: value for name, value in values.items() if name != "line_items"
    }
    assert shown["line_items"][0]["unit_price"] == {"amount": "0.10", "currency_code": "USD"}
    assert (shown["close_date"], shown["line_items"][0]["amount"]) == (None, None)


def _empty(kind: Any) -> Any:
    from google.protobuf.message_factory import GetMessageClass

    return GetMessageClass(kind)()
