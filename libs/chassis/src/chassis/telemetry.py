"""Traces and measures: set up once a process; traces are carried as W3C text through calls, outbox and messages.

A share of the traces is sampled where they begin. A span that fails is sent whether its trace is sampled or not.
A process that sends nothing makes no spans of its own: it hands on the trace that it was given.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.context import attach, detach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

MOST_CAUSES = 32  # of one batch that are told of
_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("branchline")
_TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])")
_silent: trace.Tracer | None = None  # the tracer of a process that sends nothing


def start_telemetry(
    process: str, endpoint: str = "", ratio: float = 0.05, exporter: SpanExporter | None = None
) -> TracerProvider:
    """Trace and measure this process; both go by OTLP over HTTP to `endpoint` (`http://host:4318`) when one is given.

    `ratio` is the share of new traces that is sampled, 0 to 1; a trace begun elsewhere follows its own choice.
    """
    global _silent
    if exporter is None and endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    _silent = _tracer if exporter is None else None
    provider = make_tracing(process, ratio, exporter)
    trace.set_tracer_provider(provider)
    if endpoint:
        _start_measuring(provider.resource, endpoint)
    return provider


def make_tracing(process: str, ratio: float, exporter: SpanExporter | None) -> TracerProvider:
    """What traces a process: sends a share of the traces and, of the others, what failed."""
    resource = Resource.create({"service.name": process, "service.namespace": "branchline"})
    share: Sampler = ParentBased(TraceIdRatioBased(ratio))
    provider = TracerProvider(resource=resource, sampler=share if exporter is None else _Recording(share))
    if exporter is not None:
        provider.add_span_processor(_FailuresToo(BatchSpanProcessor(exporter)))
    return provider


def _start_measuring(resource: Resource, endpoint: str) -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    exporter = OTLPMetricExporter(endpoint=endpoint.rstrip("/") + "/v1/metrics")
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter)], resource))


class _Recording(Sampler):
    """Samples as another does, but has what that one drops recorded, so that it can be sent if it fails."""

    def __init__(self, share: Sampler) -> None:
        self._share = share

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        found = self._share.should_sample(*args, **kwargs)
        if found.decision is Decision.DROP:
            return SamplingResult(Decision.RECORD_ONLY, found.attributes, found.trace_state)
        return found

    def get_description(self) -> str:
        return f"failures and {self._share.get_description()}"


class _FailuresToo(SpanProcessor):
    """Hands on what is sampled, and what failed as if it were."""

    def __init__(self, inner: SpanProcessor) -> None:
        self._inner = inner

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or context.trace_flags.sampled or span.status.status_code is not StatusCode.ERROR:
            self._inner.on_end(span)
            return
        sampled = SpanContext(
            context.trace_id, context.span_id, context.is_remote, TraceFlags(TraceFlags.SAMPLED), context.trace_state
        )
        self._inner.on_end(
            ReadableSpan(
                span.name, sampled, span.parent, span.resource, span.attributes, span.events, span.links, span.kind,
                status=span.status, start_time=span.start_time, end_time=span.end_time,
                instrumentation_scope=span.instrumentation_scope,
            )
        )  # fmt: skip

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def current_trace() -> dict[str, str]:
    """`traceparent` and `tracestate` of the present span; empty when there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier


@contextmanager
def span(
    name: str,
    carrier: Mapping[str, str] | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    **attributes: str | int,
) -> Iterator[Span]:
    """One span; `carrier` with a `traceparent` makes it a child of that trace.

    A failure is marked by its reason or its class alone: messages of errors may hold personal data. Where nothing is
    sent, a given trace is handed on as it came: a span made for nobody took a twentieth of a small call.
    """
    if _tracer is _silent and (given := _given_span(carrier)) is not None:
        mark = attach(trace.set_span_in_context(given))
        try:
            yield given
        finally:
            detach(mark)
        return
    parent = _propagator.extract(dict(carrier)) if carrier else None
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=dict(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        ended_well = False
        try:
            yield made
            ended_well = True
        finally:
            trouble = sys.exc_info()[1]
            if not ended_well and isinstance(trouble, Exception):
                made.set_status(Status(StatusCode.ERROR, getattr(trouble, "reason", type(trouble).__name__)))


def _given_span(carrier: Mapping[str, str] | None) -> Span | None:
    """The span that a carrier names, without one the present span; None where there is none, or more to it."""
    if not carrier:
        present = trace.get_current_span()
        return present if present.get_span_context().is_valid else None
    found = _TRACE_PARENT.fullmatch(carrier.get("traceparent", ""))
    if found is None or "tracestate" in carrier:
        return None
    told = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(found[3])))
    return NonRecordingSpan(told) if told.is_valid else None


@contextmanager
def batch_span(name: str, carriers: Sequence[Mapping[str, str]], **attributes: str | int) -> Iterator[Span]:
    """The span of a batch: it goes on with the first sampled cause and links all of them.

    Each further sampled cause has such a span too, so that its trace reaches the last handler whatever came beside it.
    """
    causes = _each_once(carriers)
    cause = cause_of(causes)
    with span(name, cause, SpanKind.CONSUMER, **attributes) as made:
        if made.is_recording():
            for link in links_of(causes):
                made.add_link(link.context)
        begun = [
            _tracer.start_span(name, _propagator.extract(dict(one)), SpanKind.CONSUMER, dict(attributes))
            for one in _further_causes(causes, cause)
        ]
        try:
            yield made
        finally:
            for one in begun:
                one.end()


def _each_once(carriers: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The first carrier of each cause: a batch of an import has one, and to read it 500 times took 4 ms."""
    found: dict[str, Mapping[str, str]] = {}
    for one in carriers:
        found.setdefault(one.get("traceparent", ""), one)
    return list(found.values())


def _further_causes(carriers: Sequence[Mapping[str, str]], cause: Mapping[str, str] | None) -> list[Mapping[str, str]]:
    """Each sampled carrier once but that of `cause`, 32 at most."""
    found = {one["traceparent"]: one for one in carriers if _is_sampled(one)}
    found.pop((cause or {}).get("traceparent", ""), None)
    return list(found.values())[:MOST_CAUSES]


def _is_sampled(carrier: Mapping[str, str]) -> bool:
    return carrier.get("traceparent", "").endswith("-01")


def cause_of(carriers: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """Of what caused a batch, what its span goes on from: the first that is sampled, else the first."""
    return next(filter(_is_sampled, carriers), carriers[0] if carriers else None)


def links_of(carriers: Sequence[Mapping[str, str]]) -> list[Link]:
    """Links to the traces that caused a batch, each once, at most 32."""
    found = {}
    for carrier in carriers:
        context = trace.get_current_span(_propagator.extract(dict(carrier))).get_span_context()
        if context.is_valid:
            found[context.span_id] = Link(context)
        if len(found) == MOST_CAUSES:
            break
    return list(found.values())
