"""Fields that a company makes for itself, and an index of their values that no way of writing a card can forget."""

from alembic import op

from contacts.tables import customer_field, customer_field_value

revision = "0080"
down_revision = "0030"

# The words of a value, and the number that it can be compared by: a day is its eight digits.
TERMS = r"""
CREATE OR REPLACE FUNCTION customer_field_terms(kind text, value text)
RETURNS TABLE (text text, number numeric) LANGUAGE sql IMMUTABLE AS $$
  SELECT lower(left(part, 200)),
    CASE
      WHEN kind IN ('number', 'money') AND part ~ '^-?[0-9]{1,15}(\.[0-9]{1,6})?( [A-Z]{3})?$'
        THEN split_part(part, ' ', 1)::numeric
      WHEN kind = 'date' AND part ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN replace(part, '-', '')::numeric
    END
  FROM unnest(CASE WHEN kind = 'choices' THEN string_to_array(value, '; ') ELSE ARRAY[value] END) AS part
  WHERE part <> ''
$$"""
KEEP = """
CREATE OR REPLACE FUNCTION keep_customer_field_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM customer_field WHERE record_type = TG_TABLE_NAME) THEN
    RETURN NULL;  -- as nearly always: nothing else is paid for by who has no fields
  END IF;
  IF TG_OP = 'DELETE' THEN  -- cards that were merged; one that is restored comes by INSERT
    DELETE FROM customer_field_value AS known USING old_cards WHERE known.record_id = old_cards.id;
  ELSIF TG_OP = 'UPDATE' THEN
    DELETE FROM customer_field_value AS known USING new_cards, old_cards
    WHERE known.record_id = new_cards.id AND old_cards.id = new_cards.id
      AND new_cards.attributes <> old_cards.attributes;
    INSERT INTO customer_field_value (field_id, record_id, text, number)
    SELECT field.id, new_cards.id, term.text, term.number
    FROM new_cards JOIN old_cards ON old_cards.id = new_cards.id
      JOIN customer_field AS field ON new_cards.attributes ? field.key AND field.record_type = TG_TABLE_NAME,
      customer_field_terms(field.type, new_cards.attributes ->> field.key) AS term
    WHERE new_cards.attributes <> old_cards.attributes;
  ELSE
    INSERT INTO customer_field_value (field_id, record_id, text, number)
    SELECT field.id, new_cards.id, term.text, term.number
    FROM new_cards
      JOIN customer_field AS field ON new_cards.attributes ? field.key AND field.record_type = TG_TABLE_NAME,
      customer_field_terms(field.type, new_cards.attributes ->> field.key) AS term;
  END IF;
  RETURN NULL;
END $$"""


def upgrade() -> None:
    """Make the tables where 0001 has not made them, and the triggers."""
    for new in (customer_field, customer_field_value):
        new.create(op.get_bind(), checkfirst=True)
    op.execute(TERMS)
    op.execute(KEEP)
    for table in ("person", "organization"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER customer_field_insert AFTER INSERT ON {table}"
            " REFERENCING NEW TABLE AS new_cards FOR EACH STATEMENT EXECUTE FUNCTION keep_customer_field_values()"
        )
        op.execute(
            f"CREATE OR REPLACE TRIGGER customer_field_update AFTER UPDATE ON {table}"
            " REFERENCING OLD TABLE AS old_cards NEW TABLE AS new_cards"
            " FOR EACH STATEMENT EXECUTE FUNCTION keep_customer_field_values()"
        )
        op.execute(
            f"CREATE OR REPLACE TRIGGER customer_field_delete AFTER DELETE ON {table}"
            " REFERENCING OLD TABLE AS old_cards FOR EACH STATEMENT EXECUTE FUNCTION keep_customer_field_values()"
        )
