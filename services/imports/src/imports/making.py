"""Records that a person chose to have made because a file names them: products, before the rows that need them."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import Database
from crm.deals.v1 import deals_pb2 as deals
from imports.peers import PeerServices
from imports.references import ASKED_AT_ONCE, CREATE
from imports.tables import run, run_reference


def make_products(database: Database, peers: PeerServices, run_id: str) -> None:
    """Make the products chosen to be made and remember their ids. Done again after a crash, it makes none twice.

    Nothing is known of their unit of measure, so fractions are allowed: the file may hold some.
    """
    wanted = sa.and_(run_reference.c.run_id == run_id, run_reference.c.meaning == CREATE)
    with database.transaction() as work:
        user_id = work.execute(sa.select(run.c.user_id).where(run.c.id == run_id)).scalar_one()
        texts = (
            work.execute(sa.select(run_reference.c.text).where(wanted).order_by(run_reference.c.text)).scalars().all()
        )
    for start in range(0, len(texts), ASKED_AT_ONCE):
        some = texts[start : start + ASKED_AT_ONCE]
        rows = [
            deals.ProductRow(
                product=deals.Product(name=text, fraction_allowed=True), provenance=deals.Provenance(run_id=run_id)
            )
            for text in some
        ]
        with peers.acting_for(user_id):
            request = deals.ImportProductsRequest(request_id=f"{run_id}:products:{some[0]}"[:255], rows=rows)
            fates = peers.take("deals", "ImportProducts", request)
        with database.transaction() as work:
            for text, fate in zip(some, fates, strict=True):
                if fate.record_id:
                    details = {"name": text, "fraction_allowed": True}
                    work.execute(
                        sa.update(run_reference)
                        .where(wanted, run_reference.c.text == text)
                        .values(meaning=fate.record_id, details=details)
                    )
