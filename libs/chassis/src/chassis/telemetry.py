"""Traces: set up once a process, carried as W3C text through calls, outbox and messages."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("branchline")


def start_telemetry(
    process: str, endpoint: str = "", ratio: float = 0.05, exporter: SpanExporter | None = None
) -> TracerProvider:
    """Trace this process; spans go by OTLP over HTTP to `endpoint` (`http://host:4318`) when one is given.

    `ratio` is the share of new traces that is sampled, 0 to 1; a trace begun elsewhere follows its own choice.
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": process, "service.namespace": "branchline"}),
        sampler=ParentBased(TraceIdRatioBased(ratio)),
    )
    if exporter is None and endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def current_trace() -> dict[str, str]:
    """`traceparent` and `tracestate` of the present span; empty when there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier


@contextmanager
def span(
    name: str, carrier: Mapping[str, str] | None = None, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int
) -> Iterator[Span]:
    """One span; `carrier` with a `traceparent` makes it a child of that trace.

    A failure is marked by its reason or its class alone: messages of errors may hold personal data.
    """
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


def links_of(carriers: Iterator[Mapping[str, str]] | list[Mapping[str, str]]) -> list[Link]:
    """Links to the traces that caused a batch, each once, at most 32."""
    found = {}
    for carrier in carriers:
        context = trace.get_current_span(_propagator.extract(dict(carrier))).get_span_context()
        if context.is_valid:
            found[context.span_id] = Link(context)
        if len(found) == 32:
            break
    return list(found.values())
