"""Saved mappings: one versioned template a name and kind, the same for all branches."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.access import IMPORT
from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation, NotPermitted
from imports.errors import TemplateNotFound
from imports.tables import template

MAX_NAME = 100
NEWEST = 0  # in the place of a version


def save_template(work: UnitOfWork, run: sa.Row[Any], name: str) -> sa.Row[Any]:
    """Save a run's mapping, options and choices as the next version. Errors: FieldInvalid, NotPermitted."""
    if not work.access.allows_somewhere(IMPORT):
        raise NotPermitted("your positions do not allow to save templates")
    if not name.strip() or len(name) > MAX_NAME or "\x00" in name:
        raise FieldInvalid(FieldViolation("name", f"must have 1 to {MAX_NAME} characters"))
    same = sa.and_(template.c.kind == run.kind, template.c.name == name.strip())
    last = sa.select(sa.func.coalesce(sa.func.max(template.c.version), 0) + 1).where(same).scalar_subquery()
    kept = [{key: column[key] for key in ("column", "field")} for column in run.mapping]
    row = sa.insert(template).values(
        kind=run.kind,
        name=name.strip(),
        version=last,
        mapping=kept,
        options=run.options,
        choices=run.choices,
        user_id=work.access.user_id,
        create_time=work.now,
    )
    return work.execute(row.returning(template)).one()


def get_template(work: UnitOfWork, kind: str, name: str, version: int = NEWEST) -> sa.Row[Any]:
    """A version of a template. Errors: TemplateNotFound, FieldInvalid."""
    if version < NEWEST:
        raise FieldInvalid(FieldViolation("template_version", "must be 1 or more; leave it out for the newest"))
    saved = sa.select(template).where(template.c.kind == kind, template.c.name == name)
    newest = work.execute(saved.order_by(template.c.version.desc()).limit(1)).one_or_none()
    if newest is None:
        raise TemplateNotFound(f"there is no template {name!r} for {kind}", metadata={"name": name, "kind": kind})
    if version in (NEWEST, newest.version):
        return newest
    found = work.execute(saved.where(template.c.version == version)).one_or_none()
    if found is None:
        raise TemplateNotFound(
            f"template {name!r} for {kind} has no version {version}; its newest is {newest.version}",
            metadata={"name": name, "kind": kind, "version": str(version), "newest": str(newest.version)},
        )
    return found
