"""A trace is carried as W3C text; a failure marks its span by reason, not by message."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from chassis import telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"


def carrier(trace_id: str = TRACE, span_id: str = "b7ad6b7169203331") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{span_id}-01"}


def test_a_span_goes_on_with_the_trace_it_was_given_and_passes_it_on() -> None:
    assert telemetry.current_trace() == {}
    with telemetry.span("one", carrier()):
        assert telemetry.current_trace()["traceparent"].split("-")[1] == TRACE
    assert telemetry.current_trace() == {}


def test_text_that_is_no_trace_starts_none_of_that_name() -> None:
    for text in (
        TRACE,
        f"00-{TRACE}-zz-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        TRACE * 300,
    ):
        with telemetry.span("one", {"traceparent": text}):
            assert f"{trace.get_current_span().get_span_context().trace_id:032x}" != TRACE


@pytest.mark.parametrize("flags", ["00", "01"])
def test_where_nothing_is_sent_a_trace_is_handed_on_as_it_came(flags: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_silent", telemetry._tracer)
    given = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-{flags}"}
    with telemetry.span("call", given):
        with telemetry.span("call of another service"):
            assert telemetry.current_trace() == given
        assert telemetry.current_trace() == given
    assert telemetry.current_trace() == {}


def test_where_nothing_is_sent_a_trace_begins_as_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_tracer", telemetry.make_tracing("probe", 0.0, None).get_tracer("probe"))
    monkeypatch.setattr(telemetry, "_silent", telemetry._tracer)
    state = {**carrier(), "tracestate": "other=1"}
    for given in (None, {}, {"traceparent": "broken"}, {"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, state):
        with telemetry.span("one", given):
            told = telemetry.current_trace()
            assert (TRACE in told["traceparent"]) is (given == state)
            assert told.get("tracestate") == (given or {}).get("tracestate")


def test_a_batch_links_each_cause_once_and_32_at_most() -> None:
    causes = [carrier(span_id=f"{n % 40 + 1:016x}") for n in range(80)]
    links = telemetry.links_of([{}, {"traceparent": "broken"}, *causes])
    assert [link.context.span_id for link in links] == list(range(1, 33))


def test_a_batch_goes_on_with_its_first_sampled_cause() -> None:
    dropped = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"}
    assert telemetry.cause_of([dropped, carrier(), dropped]) == carrier()
    assert telemetry.cause_of([dropped]) == dropped
    assert telemetry.cause_of([]) is None


def test_every_sampled_cause_of_a_batch_reaches_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = InMemorySpanExporter()
    provider = telemetry.make_tracing("probe", 1.0, sent)
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("probe"))
    other, dropped = TRACE[::-1], {"traceparent": f"00-{'ab' * 16}-b7ad6b7169203331-00"}
    causes = [dropped, carrier(), carrier(), {"traceparent": f"00-{other}-b7ad6b7169203332-01"}]
    with telemetry.batch_span("process it", causes):
        pass
    provider.force_flush()
    found = sent.get_finished_spans()
    assert sorted(f"{one.context.trace_id:032x}" for one in found if one.context) == sorted([TRACE, other])
    assert {one.parent.span_id for one in found if one.parent} == {0xB7AD6B7169203331, 0xB7AD6B7169203332}


def test_a_batch_of_one_cause_reads_it_as_often_as_a_single_event_does(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    extract = telemetry._propagator.extract

    def counted(said: dict[str, str]) -> Context:
        read.append(said["traceparent"])
        return extract(said)

    monkeypatch.setattr(telemetry, "_silent", None)
    monkeypatch.setattr(telemetry._propagator, "extract", counted)
    counts = []
    for events in (1, 500):
        read.clear()
        with telemetry.batch_span("process it", [carrier() for _ in range(events)]):
            pass
        counts.append(len(read))
    assert counts[0] == counts[1] > 0


def test_of_what_is_not_sampled_only_failures_are_sent() -> None:
    sent = InMemorySpanExporter()
    provider = telemetry.make_tracing("probe", 0.0, sent)
    tracer = provider.get_tracer("probe")
    with tracer.start_as_current_span("went well"):
        tracer.start_span("failed", attributes={"why": "reason"}).set_status(Status(StatusCode.ERROR, "NOT_LIKED"))
        failed = tracer.start_span("failed too")
        failed.set_status(Status(StatusCode.ERROR, "NOT_LIKED"))
        failed.end()
    provider.force_flush()
    (span,) = sent.get_finished_spans()
    assert (span.name, span.status.description, span.context is not None) == ("failed too", "NOT_LIKED", True)
    with_ratio = telemetry.make_tracing("probe", 1.0, sent)
    with with_ratio.get_tracer("probe").start_as_current_span("sampled"):
        pass
    with_ratio.force_flush()
    assert [one.name for one in sent.get_finished_spans()] == ["failed too", "sampled"]
