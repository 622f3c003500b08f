"""The rows of a company at work, each made from its number alone: customers, what was said to them, deals, activities.

Numbers go to branches in turn, `batch` of them at a time, and a person's history, deals and activities have the
branch of the person, so that a seller has whole customers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from branchline.bench.customers import ENDINGS, GIVEN, PERSONS_A_COMPANY, ROLES, ROOTS
from chassis.dates import to_date
from chassis.money import to_money
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.scheduling.v1 import scheduling_pb2 as scheduling

DAYS = 730  # of history
OPEN_SHARE, WON_SHARE = 0.2, 0.5
SELLERS_EACH = 2
SAID = ("called back, wants the offer by Friday", "asked for a discount", "met at the fair", "sent the price list")
KINDS = (contacts.INTERACTION_KIND_CALL, contacts.INTERACTION_KIND_EMAIL, contacts.INTERACTION_KIND_NOTE)
STEPS = (scheduling.ACTIVITY_KIND_TASK, scheduling.ACTIVITY_KIND_CALL, scheduling.ACTIVITY_KIND_MEETING)
LOST_BECAUSE = ("price", "competitor", "no answer")


@dataclass(frozen=True)
class Worker:
    """Somebody of the company who signs in."""

    login: str
    user_id: str
    unit_id: str


@dataclass(frozen=True)
class Company:
    """What was made: ids by number, and who works there; each branch has one head and two sellers, in its order."""

    scale: float
    batch: int
    branches: list[str] = field(default_factory=list)
    sellers: list[Worker] = field(default_factory=list)
    heads: list[Worker] = field(default_factory=list)
    organizations: list[str] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)

    def branch_of(self, number: int) -> int:
        """Which branch a person, and all that belongs to the person, is of."""
        return number // self.batch % len(self.branches)

    def seller_of(self, number: int) -> Worker:
        """Who looks after a person."""
        return self.sellers[self.branch_of(number) * SELLERS_EACH + number % SELLERS_EACH]

    def employer_of(self, number: int) -> int:
        """Number of the organization where a person works; it has the branch of all its people."""
        return number // PERSONS_A_COMPANY

    def numbers_of(self, worker: Worker, total: int) -> list[int]:
        """The numbers below `total` that a seller looks after."""
        return [number for number in range(total) if self.seller_of(number).login == worker.login]


def organization_row(company: Company, number: int) -> contacts.OrganizationRow:
    """An organization of five people."""
    organization = contacts.Organization(
        display_name=_company_name(number),
        owner_id=company.seller_of(number * PERSONS_A_COMPANY).user_id,
        address=contacts.Address(city="Moscow"),
        channels=[contacts.Channel(kind=contacts.CHANNEL_KIND_PHONE, raw=_phone(495, number))],
    )
    return contacts.OrganizationRow(organization=organization, external_id=f"o{number}")


def person_row(company: Company, number: int) -> contacts.PersonRow:
    """A person who works somewhere."""
    given, family = GIVEN[number % len(GIVEN)], ROOTS[number // 7 % len(ROOTS)] + ENDINGS[number % len(ENDINGS)]
    phone = contacts.Channel(kind=contacts.CHANNEL_KIND_PHONE, raw=_phone(900 + number % 90, number))
    mail = contacts.Channel(kind=contacts.CHANNEL_KIND_EMAIL, raw=f"{given}.{family}.{number}@example.com".lower())
    person = contacts.Person(
        display_name=f"{given} {family}",
        given_name=given,
        family_name=family,
        owner_id=company.seller_of(number).user_id,
        channels=[phone, mail],
    )
    employer = company.employer_of(number)
    return contacts.PersonRow(
        person=person,
        external_id=f"p{number}",
        organization_name=_company_name(employer),
        organization_external_id=f"o{employer}",
        role=ROLES[number % len(ROLES)],
    )


def interaction_row(company: Company, number: int, now: datetime, total: int) -> contacts.InteractionRow:
    """Something said to a person; the youngest have the smallest numbers, the last is two years old."""
    person = number % len(company.persons)
    author = company.seller_of(person)
    said = contacts.Interaction(
        kind=KINDS[number % len(KINDS)],
        author_id=author.user_id,
        author_name=author.login,
        person_id=company.persons[person],
        organization_id=company.organizations[company.employer_of(person)],
        summary=f"{SAID[number % len(SAID)]} ({number})",
    )
    said.occur_time.FromDatetime(now - timedelta(minutes=number * DAYS * 1440 // total))
    return contacts.InteractionRow(interaction=said, external_id=f"i{number}")


def deal_row(company: Company, number: int, pipeline: deals.Pipeline, today: date) -> deals.DealRow:
    """A deal with a person and the employer: a fifth is open, half is won, the rest is lost."""
    chance = random.Random(number)
    opened = today - timedelta(days=chance.randrange(DAYS))
    closed = opened + timedelta(days=chance.randrange(5, 90))
    kind = _end_of(chance.random()) if closed <= today else deals.STAGE_KIND_OPEN
    over = kind != deals.STAGE_KIND_OPEN
    deal = deals.Deal(
        title=f"Delivery {number}",
        pipeline_id=pipeline.id,
        stage_id=chance.choice([stage.id for stage in pipeline.stages if stage.kind == kind]),
        organization_id=company.organizations[company.employer_of(number)],
        person_id=company.persons[number],
        owner_id=company.seller_of(number).user_id,
        amount=to_money(Decimal(chance.randrange(10_000, 2_000_000)), "RUB"),
        open_date=to_date(opened),
        close_date=to_date(closed) if over else None,
        loss_reason=chance.choice(LOST_BECAUSE) if kind == deals.STAGE_KIND_LOST else "",
    )
    return deals.DealRow(deal=deal, external_id=f"d{number}")


def activity_of(company: Company, number: int, now: datetime) -> scheduling.Activity:
    """Something to be done with a deal's person, from three days ago to two months from now."""
    deal = number * 2 % len(company.deals)
    owner = company.seller_of(deal)
    activity = scheduling.Activity(
        kind=STEPS[number % len(STEPS)],
        subject=f"next step {number}",
        unit_id=owner.unit_id,
        owner_id=owner.user_id,
        time_zone="Europe/Moscow",
        person_id=company.persons[deal],
        deal_id=company.deals[deal],
    )
    activity.due_time.FromDatetime(now.replace(minute=0, second=0) + timedelta(hours=number * 7 % 1_440 - 72))
    return activity


def plan_of(worker: Worker, today: date) -> deals.Plan:
    """What a seller is to win this quarter."""
    start = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    end = (start + timedelta(days=92)).replace(day=1) - timedelta(days=1)
    return deals.Plan(
        unit_id=worker.unit_id,
        user_id=worker.user_id,
        start_date=to_date(start),
        end_date=to_date(end),
        metric=deals.PLAN_METRIC_REVENUE,
        amount=to_money(Decimal(20_000_000), "RUB"),
    )


def _end_of(draw: float) -> int:
    if draw < OPEN_SHARE:
        return deals.STAGE_KIND_OPEN
    return deals.STAGE_KIND_WON if draw < OPEN_SHARE + WON_SHARE else deals.STAGE_KIND_LOST


def _company_name(number: int) -> str:
    return f"{ROOTS[number % len(ROOTS)]} {number} Trading LLC"


def _phone(area: int, number: int) -> str:
    return f"+7 {area} {number // 10_000 % 1000:03d}-{number // 100 % 100:02d}-{number % 100:02d}"
