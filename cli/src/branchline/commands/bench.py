"""`bench`: measured figures beside what must be reached and what is aimed at."""

from __future__ import annotations

from typing import Annotated

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Screen, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Benchmarks by name; without one they are listed.")] = None,
) -> int:
    """Measure on this machine. Nothing else should run meanwhile."""
    from branchline.bench.catalogue import list_benches

    screen: Screen = context.obj
    benches = list_benches()
    if not names:
        listed = [{"name": one.name, "question": one.question} for one in benches.values()]
        screen.show(listed, lambda: table(["bench", "answers"], [[one["name"], one["question"]] for one in listed]))
        return Exit.OK
    unknown = [name for name in names if name not in benches]
    if unknown:
        raise Failure(f"no benchmark {unknown[0]!r}; there are {', '.join(benches)}", Exit.USAGE, "BENCH_UNKNOWN")
    failed = False
    for chosen in map(benches.__getitem__, names):
        failed |= _measure(screen, chosen)
    return Exit.FAILED if failed else Exit.OK


def _measure(screen: Screen, chosen: object) -> bool:
    """Measure and show one; tells whether a figure misses what it must reach."""
    from branchline.bench.catalogue import Bench

    assert isinstance(chosen, Bench)
    screen.say(f"{chosen.name}: {chosen.question}")
    figures = chosen.measure(screen.say)
    rows = [[one.name, one.shown(), one.must_text(), one.aim_text(), one.verdict()] for one in figures]
    data = {"bench": chosen.name, "figures": [one.as_data() for one in figures]}
    screen.show(data, lambda: table(["figure", "measured", "must", "aim", ""], rows, figures=(1, 2, 3)))
    return any(one.verdict() == "missed" for one in figures)
