"""What is asked of a report, as its address says it: unit, period, groups, comparison. No service is called here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from chassis.dates import to_date
from chassis.ids import is_id
from crm.reporting.v1 import reporting_pb2 as pb
from gateway.web.report_words import METRIC, PERIOD, PERSON, PIPELINE, SHAPES, Shape
from gateway.web.visits import Visit

DAY = timedelta(days=1)
PERIODS = (
    "this-week",
    "last-week",
    "this-month",
    "last-month",
    "this-quarter",
    "last-quarter",
    "this-year",
    "last-year",
    "all",
    "own",
)
COMPARISONS = ("previous", "year")
METRICS = ("revenue", "quantity")


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included; None is open."""

    first: date | None = None
    last: date | None = None

    @property
    def is_closed(self) -> bool:
        """True where both ends are known."""
        return self.first is not None and self.last is not None


@dataclass(frozen=True)
class Question:
    """A report with its parameters; `group_by` empty means none."""

    name: str
    period: str
    span: Span
    unit_id: str = ""
    user_id: str = ""
    pipeline_id: str = ""
    product_id: str = ""
    group_by: tuple[str, ...] = ()
    compare: str = ""
    metric: str = ""
    currency: str = ""
    tree: date | None = None

    @property
    def shape(self) -> Shape:
        """How the report is asked and drawn."""
        return SHAPES[self.name]

    def parameters(self, span: Span | None = None) -> pb.ReportParameters:
        """The parameters as the service takes them, for another span where one is given."""
        span = span or self.span
        return pb.ReportParameters(
            unit_id=self.unit_id,
            from_date=to_date(span.first),
            to_date=to_date(span.last),
            group_by=self.group_by,
            pipeline_id=self.pipeline_id,
            user_id=self.user_id,
            product_id=self.product_id,
            currency_code=self.currency,
            metric=self.metric,
            tree_date=to_date(self.tree),
        )

    def earlier(self) -> Span | None:
        """The span to compare with; None where none is asked for or the period is open."""
        if not self.compare or self.span.first is None or self.span.last is None:
            return None
        return earlier_span(self.span.first, self.span.last, self.compare)

    def with_changes(self, **changes: object) -> Question:
        """The same question with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def address(self, page: str = "", **more: str) -> str:
        """The address of this question; `page` is `records` or `file`."""
        own = self.period == "own"
        values = {
            "unit": self.unit_id,
            "period": self.period,
            "from": self.span.first.isoformat() if own and self.span.first else "",
            "to": self.span.last.isoformat() if own and self.span.last else "",
            "group_by": ",".join(self.group_by) or "none",
            "person": self.user_id,
            "pipeline": self.pipeline_id,
            "product": self.product_id,
            "compare": self.compare,
            "metric": self.metric if self.metric != METRICS[0] else "",
            "currency": self.currency,
            "tree": self.tree.isoformat() if self.tree else "",
            **more,
        }
        kept = urlencode({name: value for name, value in values.items() if value})
        return f"/reports/{self.name}{'/' + page if page else ''}?{kept}"


def read_question(visit: Visit, name: str, allowed: tuple[str, ...], default_place: str) -> Question:
    """The question of an address; what it does not say is as people mostly ask. `allowed` are the report's groups."""
    query, shape = visit.query, SHAPES[name]
    first, last = _day(query.get("from", "")), _day(query.get("to", ""))
    period = query.get("period", "") or ("own" if first or last else shape.period)
    period = period if period in PERIODS and PERIOD in shape.filters else "all"
    span = Span(first, last) if period == "own" else span_of(period, visit.today)
    compare, metric = query.get("compare", ""), query.get("metric", "")
    currency = query.get("currency", "").upper()
    return Question(
        name,
        period,
        span,
        unit_id=_id(query.get("unit", "")),
        user_id=_id(query.get("person", "")) if PERSON in shape.filters else "",
        pipeline_id=_id(query.get("pipeline", "")) if PIPELINE in shape.filters else "",
        product_id=_id(query.get("product", "")),
        group_by=_groups(query.get("group_by", ""), allowed, shape, default_place),
        compare=compare if compare in COMPARISONS else "",
        metric=(metric if metric in METRICS else METRICS[0]) if METRIC in shape.filters else "",
        currency=currency if len(currency) == 3 and currency.isascii() and currency.isalpha() else "",
        tree=_day(query.get("tree", "")),
    )


def span_of(period: str, today: date) -> Span:
    """The days of a named period, as seen on a day."""
    if period in ("this-week", "last-week"):
        first = today - timedelta(days=today.weekday() + (7 if period == "last-week" else 0))
        return Span(first, first + timedelta(days=6))
    months = {"month": 1, "quarter": 3, "year": 12}.get(period.rpartition("-")[2])
    if months is None:
        return Span()
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    if period.startswith("last-"):
        first = shift_months(first, -months)
    return Span(first, shift_months(first, months) - DAY)


def shift_months(day: date, months: int) -> date:
    """The same day some months later; the month's last where it is shorter."""
    number = day.year * 12 + day.month - 1 + months
    year, month = min(max(number // 12, 1), 9998), number % 12 + 1
    for back in range(4):
        try:
            return date(year, month, day.day - back)
        except ValueError:
            continue
    raise AssertionError("unreachable")


def whole_months(first: date, last: date) -> int:
    """How many whole months a span is; 0 where it is not made of whole ones."""
    if first.day != 1 or (last + DAY).day != 1:
        return 0
    return (last.year - first.year) * 12 + last.month - first.month + 1


def earlier_span(first: date, last: date, compare: str) -> Span:
    """The same period last year, or the period of the same length before it."""
    months = 12 if compare == "year" else whole_months(first, last)
    if months and whole_months(first, last):
        begin = shift_months(first, -months)
        return Span(begin, shift_months(begin, whole_months(first, last)) - DAY)
    if months:
        return Span(shift_months(first, -12), shift_months(last, -12))
    length = last - first + DAY
    return Span(first - length, last - length)


def shift_label(label: str, months: int) -> str:
    """A month, quarter or year that lies some months later: 2026-01, 2026-Q1, 2026; others stay."""
    year, _, rest = label.partition("-")
    if not (year.isdecimal() and len(year) == 4):
        return label
    month = 1 if not rest else 3 * int(rest[1:]) - 2 if rest.startswith("Q") else int(rest)
    day = shift_months(date(int(year), month, 1), months)
    if not rest:
        return f"{day.year:04d}"
    return f"{day.year:04d}-Q{(day.month + 2) // 3}" if rest.startswith("Q") else f"{day.year:04d}-{day.month:02d}"


def label_span(label: str) -> Span | None:
    """The days of a month, quarter or year; None for another text."""
    year, _, rest = label.partition("-")
    if not (year.isdecimal() and len(year) == 4 and year != "0000"):
        return None
    if not rest:
        first, months = date(int(year), 1, 1), 12
    elif rest.startswith("Q") and rest[1:] in ("1", "2", "3", "4"):
        first, months = date(int(year), 3 * int(rest[1:]) - 2, 1), 3
    elif rest.isdecimal() and len(rest) < 3 and 1 <= int(rest) <= 12:
        first, months = date(int(year), int(rest), 1), 1
    else:
        return None
    return Span(first, shift_months(first, months) - DAY)


def _groups(wanted: str, allowed: tuple[str, ...], shape: Shape, default_place: str) -> tuple[str, ...]:
    if wanted == "none":
        return ()
    asked = tuple(dict.fromkeys(one for one in wanted.split(",") if one in allowed))[:2]
    if asked or wanted:
        return asked
    default = default_place if shape.groups == "place" else shape.groups
    return (default,) if default in allowed else ()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _id(text: str) -> str:
    return text if is_id(text) else ""
