"""No statistics of what nobody searches by: while a file was imported, gathering them took as long as a fifth of it."""

from alembic import op

revision = "0005"
down_revision = "0004"

_UNSEARCHED = {
    "person": ("attributes",),
    "organization": ("attributes",),
    "channel": ("value", "raw", "extension", "label", "problem"),
    "provenance": ("external_id", "fingerprint", "file", "sheet", "row", "changed_fields", "create_time"),
    "match_key": ("key", "record_id"),
    "event_log": ("event_id", "headers", "data"),  # with the partitions there are
}


def upgrade() -> None:
    """Say so of each column; the number of rows is still known."""
    for table, columns in _UNSEARCHED.items():
        changes = ", ".join(f'ALTER COLUMN "{column}" SET STATISTICS 0' for column in columns)
        op.execute(f"ALTER TABLE {table} {changes}")
