"""The kinds of records on which rights are granted: every service asks by these names, the directory grants by them."""

from __future__ import annotations

CUSTOMER = "customer"  # persons and organizations, with what ties them
INTERACTION = "interaction"
DEAL = "deal"
PLAN = "plan"
CATALOGUE = "catalogue"  # products, pipelines, reasons of loss
ACTIVITY = "activity"  # what is planned, and who is away
RUN = "run"  # imports with their files and findings
STAFF = "staff"  # units, people, positions
KINDS = (CUSTOMER, INTERACTION, DEAL, PLAN, CATALOGUE, ACTIVITY, RUN, STAFF)

# Confidential fields by kind, as the contracts mark them; the directory puts them into groups with grants of their own.
FIELDS: dict[str, tuple[str, ...]] = {
    CUSTOMER: ("channels", "address", "birth_date", "tax_id", "attributes"),
    INTERACTION: ("summary",),
    DEAL: ("amount",),
    ACTIVITY: ("description", "summary"),
}
CHANNELS, SUMMARY, AMOUNT = "customer.channels", "interaction.summary", "deal.amount"
