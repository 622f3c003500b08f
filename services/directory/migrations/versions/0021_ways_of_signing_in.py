"""Sign-in at a provider and with passkeys, and how those with a role sign in."""

from alembic import op

from directory.tables import identity, passkey, used_challenge

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make what 0001 has not made."""
    for table in (identity, passkey, used_challenge):
        table.create(op.get_bind(), checkfirst=True)
    op.execute("ALTER TABLE role ADD COLUMN IF NOT EXISTS password_off boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE role ADD COLUMN IF NOT EXISTS factor text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE session ADD COLUMN IF NOT EXISTS sets_up text NOT NULL DEFAULT ''")
