"""The customer base's own tables; the only place where column names are written.

No foreign keys between them: a card is written with all its parts in one transaction and goes with all of them, when it
becomes part of another one, and a check per row would cost a bulk import a fifth of its speed.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, UUID

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)


def _uuid() -> UUID[str]:
    return UUID(as_uuid=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _card_columns() -> list[sa.Column[Any]]:
    """What persons and organizations share."""
    return [
        sa.Column("id", _uuid(), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        # Folded name, at most 100 characters: a B-tree entry has room for 2,704 bytes. C: the same order everywhere.
        sa.Column("sort_key", sa.Text(collation="C"), nullable=False),
        sa.Column("unit_id", _uuid(), nullable=False),
        sa.Column("unit_ids", ARRAY(_uuid()), nullable=False),
        _text("owner_id"),
        _text("tax_id"),
        _text("tax_country"),
        _text("street"),
        _text("city"),
        _text("region"),
        _text("postal_code"),
        _text("country"),
        sa.Column("attributes", JSONB, nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default="{}"),
        _text("creator_id"),
        sa.Column("create_time", TIME, nullable=False),
        sa.Column("update_time", TIME, nullable=False),
        # Words of the name, digits of phones, e-mails: see searching.py.
        sa.Column("search", TSVECTOR, nullable=False),
    ]


def _card_indexes(name: str) -> list[sa.Index]:
    return [
        sa.Index(f"{name}_sort", "sort_key", "id"),
        # One index answers words and visibility together, so that a small branch never walks all Ivanovs. The pending
        # list is kept short, since every search reads it through.
        sa.Index(
            f"{name}_search", "search", "unit_ids", postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 1024},
        ),
        sa.Index(f"{name}_owner", "owner_id", postgresql_where=sa.text("owner_id <> ''")),
        # Most cards have no tag, and a bulk import pays for none.
        sa.Index(f"{name}_tags", "tags", postgresql_using="gin", postgresql_where=sa.text("tags <> '{}'")),
    ]  # fmt: skip


person = sa.Table(
    "person",
    metadata,
    *_card_columns(),
    _text("given_name"),
    _text("middle_name"),
    _text("family_name"),
    sa.Column("birth_date", sa.Date),
    sa.Column("individual_customer", sa.Boolean, nullable=False, server_default=sa.false()),
    *_card_indexes("person"),
)

organization = sa.Table(
    "organization",
    metadata,
    *_card_columns(),
    _text("industry"),
    sa.Column("parent_id", _uuid()),
    # The spelling-proof name (values.organization_key); two organizations may share it where tax ids differ.
    sa.Column("name_key", sa.Text(collation="C"), nullable=False),
    *_card_indexes("organization"),
    sa.Index("organization_name_key", "name_key"),
    sa.Index("organization_parent", "parent_id", postgresql_where=sa.text("parent_id IS NOT NULL")),
    sa.Index(
        "organization_name_trigrams", "sort_key", postgresql_using="gin", postgresql_ops={"sort_key": "gin_trgm_ops"}
    ),
)

channel = sa.Table(
    "channel",
    metadata,
    sa.Column("owner_id", _uuid(), nullable=False),  # a person or an organization
    sa.Column("position", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("extension", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("owner_id", "position"),
    sa.CheckConstraint("kind IN ('phone','email','messenger','website','address')", name="channel_kind"),
)

affiliation = sa.Table(
    "affiliation",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("person_id", _uuid(), nullable=False),
    sa.Column("organization_id", _uuid(), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    sa.CheckConstraint("end_date >= start_date", name="affiliation_dates"),
    sa.Index("affiliation_person", "person_id"),
    sa.Index("affiliation_organization", "organization_id", "person_id"),
)

# Who holds an identity: a digest of what identifies a customer (keys.py) and the one card that has it.
match_key = sa.Table(
    "match_key",
    metadata,
    sa.Column("key", _uuid(), primary_key=True),
    sa.Column("record_id", _uuid(), nullable=False),
)

possible_duplicate = sa.Table(
    "possible_duplicate",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("first_id", _uuid(), nullable=False),
    sa.Column("second_id", _uuid(), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    # What a search found: bits for one customer, and [field, level, bits] each; null where none has compared them.
    sa.Column("bits", sa.Double),
    sa.Column("agreements", JSONB),
    sa.Column("find_time", TIME),
    # Somebody said that they are two customers: the row stays, so that nobody is asked again.
    sa.Column("dismiss_time", TIME),
    _text("dismisser_id"),
    _text("dismisser_name"),
    _text("dismiss_note"),
    sa.UniqueConstraint("first_id", "second_id"),
    sa.Index("possible_duplicate_second", "second_id"),
    # As the queue is read; pairs that no search has compared stand at its end.
    sa.Index(
        "possible_duplicate_queue",
        sa.text("(- COALESCE(bits, -100))"),
        "id",
        postgresql_where=sa.text("dismiss_time IS NULL"),
    ),
)

# The last search for duplicates of each record type, and the weights that the last whole one learned.
duplicate_search = sa.Table(
    "duplicate_search",
    metadata,
    sa.Column("record_type", sa.Text, primary_key=True),
    sa.Column("job_id", _uuid(), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("request_time", TIME, nullable=False),
    sa.Column("end_time", TIME),
    sa.Column("cards", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("pairs", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("blocks_left_out", sa.BigInteger, nullable=False, server_default="0"),
    # Cards changed since then have not been compared.
    sa.Column("through_time", TIME),
    sa.Column("model", JSONB),
    sa.Column("learn_time", TIME),
)

# Somebody of `unit_id` asks to see a card of another unit; one open request a card and asker.
access_request = sa.Table(
    "access_request",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("record_id", _uuid(), nullable=False),
    sa.Column("unit_id", _uuid(), nullable=False),
    sa.Column("requester_id", sa.Text, nullable=False),
    sa.Column("requester_name", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    _text("decider_id"),
    _text("decider_name"),
    sa.Column("decide_time", TIME),
    _text("answer"),
    sa.CheckConstraint("state IN ('open','approved','declined')", name="access_request_state"),
    sa.Index(
        "access_request_open", "record_id", "requester_id", unique=True,
        postgresql_where=sa.text("state = 'open'"),
    ),
    sa.Index("access_request_requester", "requester_id", "id"),
)  # fmt: skip

# What each source said of a card and when: file, sheet and row. `fingerprint` is a digest of all the row said, so a row
# that says the same again is known at once; `superseded` once a newer row of the same source said otherwise.
provenance = sa.Table(
    "provenance",
    metadata,
    sa.Column("record_id", _uuid(), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("fingerprint", _uuid(), nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("fate", sa.Text, nullable=False),
    sa.Column("changed_fields", ARRAY(sa.Text), nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("superseded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("provenance_record", "record_id"),
)

# What imports did, kept for the days in which they can be undone (undoing_imports.py): a run with its unit, and each
# change of a card with the values before and after of the fields that changed. Both are null for an organization that
# rows only mentioned and that was made for them; of the cards that rows became, `provenance` says which were made.
import_run = sa.Table(
    "import_run",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("unit_id", _uuid(), nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Index("import_run_time", "create_time"),
)

import_change = sa.Table(
    "import_change",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("record_id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("before", JSONB),
    sa.Column("after", JSONB),
)

interaction = sa.Table(
    "interaction",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("occur_time", TIME, nullable=False),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("author_name", sa.Text, nullable=False),
    sa.Column("unit_id", _uuid(), nullable=False),
    sa.Column("person_id", _uuid()),
    sa.Column("organization_id", _uuid()),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("source", sa.Text, nullable=False, server_default=""),
    sa.Column("external_id", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("person_id IS NOT NULL OR organization_id IS NOT NULL", name="interaction_customer"),
    sa.Index("interaction_person", "person_id", sa.text("occur_time DESC"), sa.text("id DESC")),
    sa.Index(
        "interaction_organization", "organization_id", sa.text("occur_time DESC"), sa.text("id DESC"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    ),
    sa.Index("interaction_unit", "unit_id", sa.text("occur_time DESC"), sa.text("id DESC")),
    sa.Index("interaction_author", "author_id", sa.text("occur_time DESC"), sa.text("id DESC")),
    sa.Index(
        "interaction_external", "source", "external_id", unique=True, postgresql_where=sa.text("external_id <> ''")
    ),
)  # fmt: skip

# By what each card is paired with others that may be the same customer (alike/blocking.py): digests of its keys.
block = sa.Table(
    "block",
    metadata,
    sa.Column("record_id", _uuid(), primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    # Pairs are made of these: a fifth of the memory of ids.
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("keys", ARRAY(sa.BigInteger), nullable=False),
)

# A merge of cards. `pairs` are the possible duplicates that named a merged card, as rows, for the day it is undone.
card_merge = sa.Table(
    "card_merge",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("survivor_id", _uuid(), nullable=False),
    sa.Column("merge_time", TIME, nullable=False),
    _text("merger_id"),
    _text("merger_name"),
    _text("note"),
    sa.Column("pairs", JSONB, nullable=False),
    sa.Column("undo_time", TIME),
    _text("undoer_id"),
    sa.Index("card_merge_survivor", "survivor_id", "id"),
)

# Each card of a merge as it was: the merged ones have no other row. `after` is what the survivor became; `members` are
# the memberships in a merged organization, `sources` what files said of the card: both stand with the survivor now.
merged_card = sa.Table(
    "merged_card",
    metadata,
    sa.Column("merge_id", _uuid(), primary_key=True),
    sa.Column("card_id", _uuid(), primary_key=True),
    sa.Column("position", sa.SmallInteger, nullable=False),
    sa.Column("before", JSONB, nullable=False),
    sa.Column("after", JSONB),
    sa.Column("members", JSONB, nullable=False),
    sa.Column("sources", JSONB, nullable=False),
)

# How each tag that was ever used is spelt, by its folded name (tags.py). C: the same order everywhere.
customer_tag = sa.Table(
    "customer_tag",
    metadata,
    sa.Column("key", sa.Text(collation="C"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)

# Fields that a company made for itself (customer_fields/): the values stand among a card's attributes under the key.
customer_field = sa.Table(
    "customer_field",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("labels", JSONB, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("required", sa.Boolean, nullable=False),
    sa.Column("choices", ARRAY(sa.Text), nullable=False),
    sa.Column("default_value", sa.Text, nullable=False),
    sa.Column("unit_id", sa.Text, nullable=False),
    sa.Column("section", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("retired", sa.Boolean, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("update_time", TIME, nullable=False),
    sa.UniqueConstraint("record_type", "key", name="customer_field_key"),
)

# What conditions on these fields are answered from; triggers (migration 0080) keep it as the attributes are. A row for
# each choice; `number` of numbers, amounts and days. C: compared byte by byte, the same everywhere.
customer_field_value = sa.Table(
    "customer_field_value",
    metadata,
    sa.Column("field_id", _uuid(), nullable=False),
    sa.Column("record_id", _uuid(), nullable=False),
    sa.Column("text", sa.Text(collation="C"), nullable=False),
    sa.Column("number", sa.Numeric),
    sa.Index("customer_field_value_text", "field_id", "text", "record_id"),
    sa.Index(
        "customer_field_value_number", "field_id", "number", "record_id", postgresql_where=sa.text("number IS NOT NULL")
    ),
    sa.Index("customer_field_value_record", "record_id"),
)

# Groups of persons by conditions (segments/). `version` numbers the events, members among them; `revision` is the etag.
segment = sa.Table(
    "segment",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit_id", _uuid(), nullable=False),
    sa.Column("match_any", sa.Boolean, nullable=False),
    sa.Column("conditions", JSONB, nullable=False),
    sa.Column("retired", sa.Boolean, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("update_time", TIME, nullable=False),
    sa.Column("evaluate_time", TIME),
    # When its members are to be found next; null where nobody is to look any more.
    sa.Column("due_time", TIME),
    sa.Index("segment_due", "due_time", postgresql_where=sa.text("due_time IS NOT NULL")),
)

segment_member = sa.Table(
    "segment_member",
    metadata,
    sa.Column("segment_id", _uuid(), primary_key=True),
    sa.Column("person_id", _uuid(), primary_key=True),
    sa.Column("enter_time", TIME, nullable=False),
)
