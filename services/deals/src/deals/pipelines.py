"""Pipelines with their ordered stages: defining them, reading them, finding the stage that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import sqlalchemy as sa

from chassis.access import CONFIGURE
from chassis.database import UnitOfWork
from chassis.ids import new_id
from chassis.prepared import Prepared
from deals.errors import NameTaken, PipelineNotFound, StageNotFound, invalid
from deals.events import tell_pipeline
from deals.records import LOST, OPEN, WON, Pipeline, Stage
from deals.rules import check_name
from deals.tables import pipeline, stage
from units.records import CATALOGUE
from values.names import fold_name

MAX_NAME, MAX_STAGES, MAX_ALIASES = 100, 50, 50
_ORDER = {OPEN: 0, WON: 1, LOST: 1}


@dataclass(frozen=True)
class NewStage:
    """A stage as asked for: its kind is open, won or lost, empty when not stated; no probability means by its place."""

    name: str
    kind: str
    aliases: Sequence[str] = ()
    probability: int | None = None


@dataclass(frozen=True)
class Pipelines:
    """All pipelines; few, so that they are read whole wherever a stage has to be found."""

    all: tuple[Pipeline, ...]
    stages: dict[str, Stage] = field(init=False)
    by_id: dict[str, Pipeline] = field(init=False)
    by_name: dict[tuple[str, str], Stage] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {one.id: one for one in self.all})
        object.__setattr__(self, "stages", {step.id: step for one in self.all for step in one.stages})
        named = {
            (step.pipeline_id, fold_name(name)): step
            for step in self.stages.values()
            for name in (*step.aliases, step.name)
        }
        object.__setattr__(self, "by_name", named)

    @property
    def default(self) -> Pipeline:
        """The pipeline used when none is named."""
        return next(one for one in self.all if one.is_default)

    def get(self, pipeline_id: str) -> Pipeline:
        """The pipeline, the default one for an empty id. Errors: PipelineNotFound."""
        if not pipeline_id:
            return self.default
        found = self.by_id.get(pipeline_id)
        if found is None:
            raise PipelineNotFound(pipeline_id)
        return found

    def find_stage(self, pipeline_id: str, stage_id: str, stage_name: str) -> tuple[Pipeline, Stage]:
        """The stage meant by id, else by name or alias in the pipeline, else the pipeline's first open one.

        Errors: PipelineNotFound, StageNotFound, also for a stage of another pipeline than the one named.
        """
        known = self.stages.get(stage_id) if stage_id else None
        home = self.get(pipeline_id or (known.pipeline_id if known else ""))
        if not stage_id and not stage_name:
            return home, home.first_open
        if not stage_id:
            known = self.by_name.get((home.id, fold_name(stage_name)))
        if known is None or known.pipeline_id != home.id:
            raise StageNotFound(stage_id or stage_name, home.name, [one.name for one in home.stages])
        return home, known


def define_pipeline(work: UnitOfWork, name: str, stages: Sequence[NewStage], is_default: bool) -> Pipeline:
    """Create a pipeline. Errors: NotPermitted, FieldInvalid, NameTaken."""
    work.access.require_everywhere(CONFIGURE, CATALOGUE)
    made = make_pipeline(name, stages, is_default)
    if made.is_default:
        work.execute(sa.update(pipeline).where(pipeline.c.is_default).values(is_default=False))
    store_pipeline(work, made)
    tell_pipeline(work, made)
    return made


def set_probability(work: UnitOfWork, stage_id: str, percent: int) -> Pipeline:
    """Say how many of a hundred deals in an open stage are expected to be won.

    Errors: NotPermitted, StageNotFound, FieldInvalid.
    """
    work.access.require_everywhere(CONFIGURE, CATALOGUE)
    known = read_pipelines(work).stages.get(stage_id)
    if known is None:
        raise StageNotFound(stage_id, "", [])
    check_probability("probability", percent)
    if known.kind != OPEN:
        raise invalid("stage_id", f"is {known.name!r}, a {known.kind} stage, whose probability is no question")
    work.execute(sa.update(pipeline).where(pipeline.c.id == known.pipeline_id).values(version=pipeline.c.version + 1))
    work.execute(sa.update(stage).where(stage.c.id == known.id).values(probability=percent))
    changed = read_pipelines(work).by_id[known.pipeline_id]
    tell_pipeline(work, changed)
    return changed


def check_probability(field: str, percent: int) -> int:
    """Errors: FieldInvalid outside 0 to 100."""
    if not 0 <= percent <= 100:
        raise invalid(field, f"is {percent}; say how many of a hundred deals are won, 0 to 100")
    return percent


def make_pipeline(name: str, stages: Sequence[NewStage], is_default: bool) -> Pipeline:
    """A new pipeline, checked: open stages first, at least one of each kind, every name meaning one stage."""
    named = check_name("pipeline.name", name, MAX_NAME)
    _check_stages(stages)
    made = new_id()
    active = sum(one.kind == OPEN for one in stages)
    steps = tuple(
        Stage(
            new_id(),
            made,
            one.name.strip(),
            one.kind,
            position,
            tuple(one.aliases),
            _probability(one, position, active),
        )
        for position, one in enumerate(stages, 1)
    )
    return Pipeline(made, 1, named, steps, is_default)


def store_pipeline(work: UnitOfWork, made: Pipeline) -> None:
    """Insert a new pipeline with its stages. Errors: NameTaken."""
    row = {
        "id": made.id, "version": made.version, "name": made.name, "name_key": fold_name(made.name),
        "is_default": made.is_default, "create_time": work.now,
    }  # fmt: skip
    inserted = work.execute(
        sa.dialects.postgresql.insert(pipeline).values(row).on_conflict_do_nothing(index_elements=["name_key"])
    )
    if inserted.rowcount == 0:
        raise NameTaken("pipeline", made.name)
    columns = ("id", "pipeline_id", "name", "kind", "position", "aliases", "probability")
    rows = [{name: getattr(one, name) for name in columns} | {"aliases": list(one.aliases)} for one in made.stages]
    work.execute(sa.insert(stage), rows)


_COLUMNS = (
    pipeline.c.id, pipeline.c.version, pipeline.c.name, pipeline.c.is_default, stage.c.id.label("stage_id"),
    stage.c.name.label("stage_name"), stage.c.kind, stage.c.position, stage.c.aliases, stage.c.probability,
)  # fmt: skip
_READ = Prepared(
    sa.select(*_COLUMNS).join_from(pipeline, stage).order_by(pipeline.c.name_key, pipeline.c.id, stage.c.position)
)


def read_pipelines(work: UnitOfWork) -> Pipelines:
    """All pipelines with their stages, by name."""
    found = []
    for (one, version, name, is_default), steps in groupby(work.fetch(_READ), lambda row: row[:4]):
        stages = tuple(
            Stage(row.stage_id, one, row.stage_name, row.kind, row.position, tuple(row.aliases), row.probability)
            for row in steps
        )
        found.append(Pipeline(one, version, name, stages, is_default))
    return Pipelines(tuple(found))


def _probability(one: NewStage, position: int, active: int) -> int:
    """As asked for, else by the place: the second of four open stages has two fifths."""
    if one.kind != OPEN:
        return 100 if one.kind == WON else 0
    return round(100 * position / (active + 1)) if one.probability is None else one.probability


def _check_stages(stages: Sequence[NewStage]) -> None:
    if len(stages) > MAX_STAGES:
        raise invalid("pipeline.stages", f"has {len(stages)} stages; use at most {MAX_STAGES}")
    meaning: dict[str, int] = {}
    for number, one in enumerate(stages):
        at = f"pipeline.stages[{number}]"
        if one.kind not in _ORDER:
            raise invalid(f"{at}.kind", "is not stated; say open, won or lost")
        if number and _ORDER[stages[number - 1].kind] > _ORDER[one.kind]:
            raise invalid(f"{at}.kind", "is open after a won or lost stage; put open stages first")
        check_probability(f"{at}.probability", one.probability or 0)
        if len(one.aliases) > MAX_ALIASES:
            raise invalid(f"{at}.aliases", f"has {len(one.aliases)} names; use at most {MAX_ALIASES}")
        named = [(f"{at}.name", one.name), *((f"{at}.aliases[{i}]", alias) for i, alias in enumerate(one.aliases))]
        for where, text in named:
            if meaning.setdefault(fold_name(check_name(where, text, MAX_NAME)), number) != number:
                raise invalid(where, f"{text[:60]!r} names another stage too; each name may mean one stage")
    for kind in (OPEN, WON, LOST):
        if not any(one.kind == kind for one in stages):
            raise invalid("pipeline.stages", f"has no {kind} stage; add one")
