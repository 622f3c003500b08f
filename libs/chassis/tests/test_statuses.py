"""An error is the same fact on both ends of a call, and fits into what a client takes."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, RemoteError
from chassis.rpc.statuses import error_of, status_of


class Ended(grpc.RpcError, grpc.Call):
    """A call that ended with a status, as a client sees it."""

    def __init__(self, status: status_pb2.Status) -> None:
        self.given = rpc_status.to_status(status)

    def code(self) -> Any:
        return self.given.code

    def details(self) -> Any:
        return self.given.details

    def trailing_metadata(self) -> Any:
        return self.given.trailing_metadata


def ended(status: status_pb2.Status) -> Ended:
    return Ended(status)  # type: ignore[abstract]  # what a call can do while it runs is not asked for


def there_and_back(error: DomainError) -> RemoteError:
    return error_of(ended(status_of(error, "deals")), "deals")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_error_comes_back_with_all_it_tells(kind: Kind) -> None:
    violations = (FieldViolation("person.emails[1]", "нет", "SHAPE"), FieldViolation("name", "", "EMPTY"))
    sent = RemoteError(kind, "DEAL_CLOSED", "сделка закрыта", metadata={"deal": "7", "город": "Орёл"},
                       violations=violations, retry_after_seconds=1.5)  # fmt: skip
    back = there_and_back(sent)
    assert (back.kind, back.reason, back.message) == (kind, "DEAL_CLOSED", "сделка закрыта")
    assert (back.metadata, back.violations) == ({"deal": "7", "город": "Орёл"}, violations)
    assert (back.retry_after_seconds, back.service) == (1.5, "deals")


def test_no_retry_time_is_not_a_retry_at_once() -> None:
    assert there_and_back(DomainError("x")).retry_after_seconds is None
    assert there_and_back(DomainError("x", retry_after_seconds=0)).retry_after_seconds == 0


@given(st.text(), st.lists(st.builds(FieldViolation, st.text(), st.text(), st.just("R"))), st.text())
def test_any_text_fits_into_the_trailers_a_client_takes(
    message: str, violations: list[FieldViolation], value: str
) -> None:
    for length in (1, 200):
        error = DomainError(message * length, metadata={"v": value * length}, violations=tuple(violations) * length)
        status = status_of(error, "deals")
        encoded = len(grpc_message(status.message)) + (len(status.SerializeToString()) + 2) // 3 * 4
        assert encoded < 7_600


def grpc_message(text: str) -> str:
    """A status message as it is written on the wire: percent-encoded outside printable ASCII."""
    return "".join(chr(one) if 0x20 <= one <= 0x7E and one != 0x25 else f"%{one:02X}" for one in text.encode())


def test_of_too_many_violations_the_first_are_told() -> None:
    error = FieldInvalid(*(FieldViolation(f"rows[{n}].name", "ы" * 500) for n in range(100)))
    told = there_and_back(error).violations
    assert 1 <= len(told) < 100
    assert [one.field for one in told] == [f"rows[{n}].name" for n in range(len(told))]


def test_a_call_that_nobody_answered_is_unavailable() -> None:
    back = error_of(grpc.RpcError("lost"), "deals")
    assert (back.kind, back.reason) == (Kind.UNAVAILABLE, "SERVICE_NOT_AVAILABLE")


def test_a_server_that_contradicts_itself_is_still_an_error() -> None:
    call = ended(status_of(DomainError("one thing"), "deals"))
    call.details = lambda: "another"  # type: ignore[method-assign]
    assert error_of(call, "deals").kind is Kind.INTERNAL


def test_the_domain_names_the_service() -> None:
    info = error_details_pb2.ErrorInfo()
    status_of(DomainError("x"), "deals").details[0].Unpack(info)
    assert info.domain == "deals.crm"
