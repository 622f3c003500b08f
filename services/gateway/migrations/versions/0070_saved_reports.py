"""Questions of reports are saved as views of lists are."""

from alembic import op

revision = "0070"
down_revision = "0060"


def upgrade() -> None:
    """Allow one more name; a former version makes and reads views of lists as before."""
    op.execute("ALTER TABLE saved_view DROP CONSTRAINT saved_view_list_name_check")
    op.execute(
        "ALTER TABLE saved_view ADD CONSTRAINT saved_view_list_name_check "
        "CHECK (list_name IN ('customers', 'organizations', 'deals', 'reports'))"
    )
