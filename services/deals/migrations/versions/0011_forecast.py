"""Deals say when they are expected to be won, and stages how many of theirs are."""

from alembic import op

revision = "0011"
down_revision = "0010"

# Where imports have put the day until now. What is no day of a calendar stays where it is.
LONG, SHORT = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])", "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
DAY = f"^(19|20|21)[0-9]{{2}}-({LONG}|{SHORT}|02-(0[1-9]|1[0-9]|2[0-8]))$"
TAKE_OVER = f"""
UPDATE deal SET
  expected_close_date = COALESCE(attributes ->> 'expected_close_date', attributes ->> 'expected close')::date,
  attributes = attributes - 'expected_close_date' - 'expected close'
WHERE COALESCE(attributes ->> 'expected_close_date', attributes ->> 'expected close') ~ '{DAY}'
"""
BY_PLACE = """
UPDATE stage SET probability = CASE stage.kind WHEN 'won' THEN 100 WHEN 'open' THEN
  round(100.0 * stage.position / (place.active + 1)) ELSE 0 END
FROM (SELECT pipeline_id, count(*) FILTER (WHERE kind = 'open') AS active FROM stage GROUP BY pipeline_id) AS place
WHERE place.pipeline_id = stage.pipeline_id
"""


def upgrade() -> None:
    """Add the columns where 0001 has not made them, and fill them from what is known; code from before goes on."""
    op.execute(
        "ALTER TABLE stage ADD COLUMN IF NOT EXISTS probability smallint NOT NULL DEFAULT 0"
        " CONSTRAINT stage_probability CHECK (probability BETWEEN 0 AND 100)"
    )
    op.execute("ALTER TABLE deal ADD COLUMN IF NOT EXISTS expected_close_date date")
    op.execute(BY_PLACE)
    op.execute(TAKE_OVER)
