"""Who is told of what is new at the customers of open deals.

Persons and deals learn where they belong with their next change, or all at once by `./branchline rebuild scheduling`.
"""

from alembic import op

from scheduling.tables import interaction

revision = "0040"
down_revision = "0004"

_COLUMNS = (
    ("person", "organization_ids uuid[] NOT NULL DEFAULT '{}'"),
    *(("deal", text) for text in ("person_id uuid", "organization_id uuid", "create_time timestamptz")),
    *(
        ("notification", f"{name} uuid")
        for name in ("customer_id", "interaction_id", "person_id", "organization_id", "deal_id", "unit_id")
    ),
    ("notification", "interaction_kind text"),
)
_INDEXES = (
    "deal_person ON deal (person_id) WHERE status = 'open'",
    "deal_organization ON deal (organization_id) WHERE status = 'open'",
)
_KINDS = "'reminder','overdue','nudge','assigned','customer_news'"


def upgrade() -> None:
    """Make the columns, the table and the indexes where 0001 has not made them."""
    for table, column in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")
    op.execute("ALTER TABLE notification ALTER COLUMN activity_id DROP NOT NULL")
    _replace_check("notification_kind", f"kind IN ({_KINDS})")
    _replace_check("notification_is_about_something", "(kind = 'customer_news') = (activity_id IS NULL)")
    op.execute(
        "CREATE UNIQUE INDEX IF NOT EXISTS notification_customer ON notification (user_id, customer_id)"
        " WHERE kind = 'customer_news' AND read_time IS NULL"
    )
    for index in _INDEXES:
        op.execute(f"CREATE INDEX IF NOT EXISTS {index}")
    interaction.create(op.get_bind(), checkfirst=True)


def _replace_check(name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE notification DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE notification ADD CONSTRAINT {name} CHECK ({condition})")
