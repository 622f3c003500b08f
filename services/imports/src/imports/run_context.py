"""What a check and a load of a run both stand on: the run, its unit's defaults, who owns its kind, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from chassis.jobs import Job
from imports.findings import Findings
from imports.foretelling import LOOKED_UP
from imports.kinds import Kind
from imports.loading.context import LoadContext, Loader
from imports.loading.customers import load_interactions, load_organizations, load_persons
from imports.loading.people import load_employees
from imports.loading.selling import load_deals, load_plans, load_products
from imports.peers import PeerServices
from imports.records import BranchDefaults
from imports.references import load_meanings
from imports.runs import Pace, mark_progress
from imports.settings import Settings
from imports.tables import file, run
from units.tables import unit as unit_table

LOADERS: Mapping[str, Loader] = {
    "persons": load_persons,
    "organizations": load_organizations,
    "interactions": load_interactions,
    "deals": load_deals,
    "products": load_products,
    "plans": load_plans,
    "employees": load_employees,
}


@dataclass
class Check:
    """One dry run at work."""

    database: Database
    peers: PeerServices
    settings: Settings
    job: Job
    run: Any
    kind: Kind
    findings: Findings
    pace: Pace = field(default_factory=Pace)

    @property
    def foretells(self) -> bool:
        """Whether fates are asked for: looking up what nobody will read before the load does it again is work twice.

        Other kinds than these may name customers that are yet to be made, which is told with its proposals.
        """
        return not (self.run.unattended and self.run.kind in LOOKED_UP)

    def tell(self, share: float, message: str, work: UnitOfWork | None = None) -> None:
        """Mark progress, and keep the job's lease."""
        if work is None:
            with self.database.transaction() as work:
                self.tell(share, message, work)
            return
        self.job.save(work)
        mark_progress(work, self.run.id, share, message, self.pace.is_due())


def load_context(database: Database, peers: PeerServices, run_id: str, dry_run: bool) -> LoadContext:
    """What loading (or foretelling) a run needs to know."""
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == run_id)).one()
        name = work.execute(sa.select(file.c.name).where(file.c.id == found.file_id)).scalar_one()
        return LoadContext(
            run_id,
            found.kind,
            found.unit_id,
            found.source,
            name,
            branch_defaults(work, found.unit_id),
            load_meanings(work, run_id),
            peers,
            dry_run,
            choices={(one["field"], one["text"]): one["meaning"] for one in found.choices if one["meaning"]},
        )


def branch_defaults(work: UnitOfWork, unit_id: str) -> BranchDefaults:
    """What holds for the rows of a unit where they do not say."""
    row = work.execute(sa.select(unit_table).where(unit_table.c.id == unit_id)).one()
    return BranchDefaults(row.country_code, row.area_code, row.currency_code, row.time_zone)
