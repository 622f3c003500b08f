"""Tables of the imports service: the only place where its column names are written."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)
ID = UUID(as_uuid=False)

file = sa.Table(
    "file",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False, server_default=""),
    sa.Column("received_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("complete", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
)

file_chunk = sa.Table(
    "file_chunk",
    metadata,
    sa.Column("file_id", ID, sa.ForeignKey("file.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.PrimaryKeyConstraint("file_id", "position"),
)

template = sa.Table(
    "template",
    metadata,
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("mapping", JSONB, nullable=False),
    sa.Column("options", JSONB, nullable=False),
    sa.Column("choices", JSONB, nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.PrimaryKeyConstraint("kind", "name", "version"),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("file_id", ID, sa.ForeignKey("file.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("unit_id", ID, nullable=False),
    sa.Column("user_id", ID, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("options", JSONB, nullable=False),
    sa.Column("detected", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("mapping", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.Column("choices", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.Column("template_name", sa.Text, nullable=False, server_default=""),
    sa.Column("template_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("expected", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("actual", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("rows_read", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rows_skipped", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("progress", sa.Float, nullable=False, server_default="0"),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),
    # Nobody looks at it between check and load: it goes on by itself, and fates are not foretold.
    sa.Column("unattended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("error_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("warning_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("first_date", sa.Date),
    sa.Column("last_date", sa.Date),
    sa.Column("job_id", ID),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("end_time", TIME),
    # How it was undone, or would be: counts, who asked when; empty where nobody did.
    sa.Column("undo", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Index("run_unit", "unit_id", "id"),
)

# One row of the file. `place` counts data rows from 1 in file order; `record` holds the values ready to load, by field;
# rows of one record (an order with several lines) share `record_key` and the place of the first as `record_place`.
run_row = sa.Table(
    "run_row",
    metadata,
    sa.Column("run_id", ID, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("sheet", sa.Text, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("cells", JSONB, nullable=False),
    sa.Column("record", JSONB),
    sa.Column("record_key", sa.Text, nullable=False),
    sa.Column("record_place", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("run_id", "place"),
    sa.Index("run_row_record", "run_id", "record_place", "place"),
)

# What became of each row: `phase` is expected (dry run) or actual (load).
run_fate = sa.Table(
    "run_fate",
    metadata,
    sa.Column("run_id", ID, nullable=False),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("fate", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "phase", "place"),
)

# Records of a run that is being undone, in the order in which that is done: the last rows first. Those that stay have a
# `reason` and are kept to be listed; the others are deleted at the end.
run_undo = sa.Table(
    "run_undo",
    metadata,
    sa.Column("run_id", ID, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("made", sa.Boolean, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("fields", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.PrimaryKeyConstraint("run_id", "number"),
    sa.Index("run_undo_record", "run_id", "record_id"),
)

# What a text written in the file means: products, stages, owners, units. `meaning` is an id, empty when unknown.
run_reference = sa.Table(
    "run_reference",
    metadata,
    sa.Column("run_id", ID, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("first_place", sa.BigInteger, nullable=False),
    sa.Column("column", sa.Text, nullable=False),
    sa.Column("meaning", sa.Text, nullable=False, server_default=""),
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.PrimaryKeyConstraint("run_id", "field", "text"),
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("run_id", ID, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text, nullable=False),
    sa.Column("cell", sa.Text, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("column", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("way_out", sa.Text, nullable=False),
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("cells", JSONB, nullable=False),
    sa.Column("suggestions", JSONB, nullable=False),
    sa.Column("row_only", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "number"),
)

# A list or report taken away as a file. `allowed_rows` is what a second person agreed to; `charged` says that its rows
# count against its owner's budget.
export = sa.Table(
    "export",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("list", sa.Text, nullable=False),
    sa.Column("records", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("columns", JSONB, nullable=False),
    sa.Column("filters", JSONB, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("row_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("budget_rows", sa.BigInteger, nullable=False),
    sa.Column("allowed_rows", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("charged", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("unit_id", ID),
    sa.Column("unit_path", sa.Text, nullable=False),
    sa.Column("decider_id", sa.Text, nullable=False, server_default=""),
    sa.Column("decider_name", sa.Text, nullable=False, server_default=""),
    sa.Column("decide_time", TIME),
    sa.Column("answer", sa.Text, nullable=False, server_default=""),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("job_id", ID),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("end_time", TIME),
    sa.Column("expire_time", TIME),
    sa.Index("export_user", "user_id", "id"),
    sa.Index("export_expire", "expire_time", postgresql_where=sa.text("state = 'ready'")),
)

# Rows of an export as they were read, a page a row, until the file is written.
export_page = sa.Table(
    "export_page",
    metadata,
    sa.Column("export_id", ID, sa.ForeignKey("export.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("rows", JSONB, nullable=False),
    sa.PrimaryKeyConstraint("export_id", "number"),
)

export_piece = sa.Table(
    "export_piece",
    metadata,
    sa.Column("export_id", ID, sa.ForeignKey("export.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.PrimaryKeyConstraint("export_id", "position"),
)
