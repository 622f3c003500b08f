"""The first tables of deals, those every service has, the copy of units; and what a new database begins with."""

from alembic import op

from chassis import clock
from chassis.access import service_access
from chassis.database import UnitOfWork
from chassis.schema import create_chassis_tables
from deals.events import tell_pipeline
from deals.first_pipeline import LOSS_REASONS, NAME, STAGES
from deals.loss_reasons import store_loss_reasons
from deals.pipelines import make_pipeline, store_pipeline
from deals.tables import metadata
from units.tables import metadata as units_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, the pipeline "Sales" with the event that says so, and the list of loss reasons.

    pg_trgm is a trusted extension, so the database's owner may make it.
    """
    connection = op.get_bind()
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    create_chassis_tables(connection, "crm/hq/deals")
    units_metadata.create_all(connection)
    metadata.create_all(connection)
    store_loss_reasons(connection, LOSS_REASONS)
    work = UnitOfWork(connection, service_access("deals"), clock.now())
    made = make_pipeline(NAME, STAGES, is_default=True)
    store_pipeline(work, made)
    tell_pipeline(work, made)
    work.flush_events()
