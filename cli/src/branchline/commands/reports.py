"""`report`: the consolidated figures on the screen or as JSON."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from branchline.exits import Exit
from branchline.screen import Screen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="funnel, won, win-rate, cycle, plan-fact, customers, deliveries …; without one they are listed."
        ),
    ] = "",
    unit: Annotated[str, typer.Option(help="This unit and what is below: code, name, path or id.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, such as 2026-01-01.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included.")] = "",
    group_by: Annotated[
        list[str] | None,
        typer.Option(help="branch, unit, person, product, month …; several, outermost first, by comma or repeated."),
    ] = None,
    metric: Annotated[str, typer.Option(help="What plan-fact compares: revenue or quantity.")] = "",
    product: Annotated[str, typer.Option(help="Only this product, by id.")] = "",
    currency: Annotated[str, typer.Option(help="Currency of the converted figures.")] = "",
    tree: Annotated[str, typer.Option(metavar="DAY", help="Units as they were on a day; as they are without it.")] = "",
) -> int:
    """Run a report over what you may see. Figures are exact; the screen rounds them, --json does not."""
    from branchline.commands.report_text import catalogue_text, report_text
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        if not name:
            found = rest.get("/reports")
            screen.show(found, lambda: catalogue_text(found))
            return Exit.OK
        groups = [word.strip() for text in group_by or [] for word in text.split(",") if word.strip()]
        parameters: dict[str, Any] = {
            "unit": unit, "from": first, "to": last, "group_by": groups, "metric": metric,
            "product_id": product, "currency_code": currency.upper(), "tree_date": tree,
        }  # fmt: skip
        answer = rest.get(f"/reports/{name}", **parameters)
    screen.show(answer, lambda: report_text(answer))
    return Exit.OK
