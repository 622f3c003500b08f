"""Lists and reports that people take away as files."""

from alembic import op

from imports.tables import export, export_page, export_piece, metadata

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables where an earlier step has not made them."""
    metadata.create_all(op.get_bind(), tables=[export, export_page, export_piece])
