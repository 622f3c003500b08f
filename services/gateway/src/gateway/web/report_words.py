"""What the pages of reports call things: reports with their questions and definitions, columns, groups, periods.

Also what each report can be asked by: how it is grouped when nobody says, which filters it heeds, which chart it has.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.web.texts import gettext as _

PERIOD, PERSON, PIPELINE, METRIC, CURRENCY = "period", "person", "pipeline", "metric", "currency"
DEALS = frozenset({PERIOD, PERSON, PIPELINE})


@dataclass(frozen=True)
class Shape:
    """How a report is asked and drawn: `chart` with the columns it draws, `groups` when nobody says by what."""

    section: str
    filters: frozenset[str]
    chart: str = ""
    figures: tuple[str, ...] = ()
    groups: str = ""
    period: str = "this-year"


# `place` as a grouping: by branch for who sees several, by person for who sees one.
SHAPES = {
    "funnel": Shape("selling", DEALS, "funnel", ("deals",)),
    "won": Shape("selling", DEALS | {CURRENCY}, "bars", ("amount",), "place"),
    "win-rate": Shape("selling", DEALS, "stack", ("won", "lost"), "place"),
    "cycle": Shape("selling", DEALS, "bars", ("median_days",), "place"),
    "pipeline": Shape("selling", DEALS | {CURRENCY}, "bars", ("amount",), "stage", "all"),
    "plan-fact": Shape("plans", frozenset({PERIOD, PERSON, METRIC, CURRENCY}), "bars", ("plan", "fact"), "place"),
    "customers": Shape("customers", frozenset({PERSON}), "bars", ("customers",), "place", "all"),
    "activities": Shape("customers", frozenset({PERIOD, PERSON}), "bars", ("interactions",), "person"),
    "deliveries": Shape("data", frozenset({PERIOD})),
}


def section_words() -> dict[str, str]:
    """The groups of the catalogue in their order."""
    return {
        "selling": _("Selling"),
        "plans": _("Plans"),
        "customers": _("Customers and work"),
        "data": _("Data"),
    }


def report_titles() -> dict[str, str]:
    """Each report by name."""
    return {
        "funnel": _("Funnel"),
        "won": _("Won"),
        "win-rate": _("Win rate"),
        "cycle": _("How long deals take"),
        "pipeline": _("What is being worked on"),
        "plan-fact": _("Plan and fact"),
        "customers": _("Customers"),
        "activities": _("What people did"),
        "deliveries": _("Who has delivered"),
    }


def report_questions() -> dict[str, str]:
    """The question each report answers."""
    return {
        "funnel": _("How far do deals come, and where do they stop?"),
        "won": _("What was sold, by whom, of what, and when?"),
        "win-rate": _("How many of the closed deals were won?"),
        "cycle": _("How many days from opening to closing?"),
        "pipeline": _("Which open deals are there, in which stage, worth how much?"),
        "plan-fact": _("What was planned, what was reached, how much is missing?"),
        "customers": _("How many customers are there, each counted once?"),
        "activities": _("How many calls, meetings and notes, by whom?"),
        "deliveries": _("Which branches have sent their deals for the period?"),
    }


def report_definitions() -> dict[str, str]:
    """How each report counts."""
    return {
        "funnel": _(
            "Of the deals begun in the period (opened, or first seen in a stage), how many reached each stage or a "
            "later one, by their history. Per 100 of the first stage and of the stage before; lost deals stand apart."
        ),
        "won": _(
            "Deals with a won stage and a closing day in the period. By product or group of products the lines are "
            "counted. Quantities in different units of measure are never added."
        ),
        "win-rate": _("Won divided by won and lost together, of the deals closed in the period."),
        "cycle": _("Days from the opening day to the closing day of the deals closed in the period."),
        "pipeline": _("Open deals as they stand now; a period chooses those that began in it."),
        "plan-fact": _(
            "The plan of exactly the group asked for, else of the higher unit, else of the longer period; no part of a "
            "plan counts twice. Fact is what was won in the period."
        ),
        "customers": _(
            "Organizations, and persons who are customers themselves. A customer of two branches counts once in each "
            "of them and once in the total."
        ),
        "activities": _("Calls, meetings, letters and notes by the day they took place."),
        "deliveries": _("Branches with a finished import of deals that covers a day of the period."),
    }


def column_titles() -> dict[str, str]:
    """Titles of columns by their machine names."""
    return (
        group_words()
        | {
            "deals": _("Deals"),
            "lines": _("Lines"),
            "per_hundred_of_first": _("Per 100 of the first stage"),
            "per_hundred_of_previous": _("Per 100 of the stage before"),
            "amount": _("Amount"),
            "quantity": _("Quantity"),
            "average": _("Average"),
            "converted": _("Converted"),
            "closed": _("Closed"),
            "won": _("Won"),
            "lost": _("Lost"),
            "win_rate": _("Win rate"),
            "outcome": _("Outcome"),
            "mean_days": _("Mean, days"),
            "median_days": _("Median, days"),
            "min_days": _("Least, days"),
            "max_days": _("Most, days"),
            "plan": _("Plan"),
            "fact": _("Fact"),
            "attainment": _("Reached"),
            "difference": _("Difference"),
            "unit_of_measure": _("Unit of measure"),
            "customers": _("Customers"),
            "organizations": _("Organizations"),
            "individual_customers": _("Individual customers"),
            "persons": _("Persons"),
            "interactions": _("Interactions"),
        }
        | _record_titles()
    )


def _record_titles() -> dict[str, str]:
    return {
        "state": _("In the way"),
        "runs": _("Imports"),
        "file_name": _("File"),
        "first_date": _("First day"),
        "last_date": _("Last day"),
        "rows_read": _("Rows"),
        "created": _("New"),
        "updated": _("Changed"),
        "unchanged": _("Unchanged"),
        "merged": _("Merged"),
        "refused": _("Refused"),
        "title": _("Title"),
        "name": _("Name"),
        "open_date": _("Opened"),
        "close_date": _("Closed on"),
        "reach_date": _("Entered"),
        "days": _("Days"),
        "day": _("Day"),
        "customer": _("Customer"),
        "start_date": _("First day"),
        "end_date": _("Last day"),
    }


def group_words() -> dict[str, str]:
    """What figures can be grouped by."""
    return {
        "unit": _("Unit"),
        "branch": _("Branch"),
        "region": _("Region"),
        "person": _("Person"),
        "product": _("Product"),
        "category": _("Group of products"),
        "organization": _("Organization"),
        "country": _("Country"),
        "industry": _("Industry"),
        "pipeline": _("Pipeline"),
        "stage": _("Stage"),
        "loss_reason": _("Reason of the loss"),
        "business_line": _("Line of business"),
        "kind": _("Kind"),
        "month": _("Month"),
        "quarter": _("Quarter"),
        "year": _("Year"),
    }


def period_words() -> dict[str, str]:
    """Periods to choose from."""
    return {
        "this-week": _("This week"),
        "last-week": _("Last week"),
        "this-month": _("This month"),
        "last-month": _("Last month"),
        "this-quarter": _("This quarter"),
        "last-quarter": _("Last quarter"),
        "this-year": _("This year"),
        "last-year": _("Last year"),
        "all": _("All time"),
        "own": _("From … to …"),
    }


def compare_words() -> dict[str, str]:
    """What a period can be compared with."""
    return {"": _("nothing"), "previous": _("the period before"), "year": _("the same period last year")}


def text_words() -> dict[str, str]:
    """Texts that the reports themselves write into cells."""
    return {
        "Won": _("Won"),
        "Lost": _("Lost"),
        "All closed": _("All closed"),
        "Total": _("Total"),
        "Total without amount": _("Total without amount"),
        "nothing": _("nothing"),
        "not started": _("not begun"),
        "blocked": _("stopped by findings"),
        "waiting": _("waits to be loaded"),
        "failed": _("could not be read"),
        "finished": _("finished"),
        "loading": _("being loaded"),
        "checking": _("being checked"),
        "(not yet known)": _("(not yet known)"),
    }
