"""Who calls in the tests of contacts, from which units, and what they send."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.access import ALL, IMPORT, OWN, READ, SUBTREE, WRITE, Access, Grant
from chassis.database import Database
from chassis.errors import RemoteError
from chassis.rpc.client import Client, calling_as
from chassis.schema import outbox
from chassis.tokens import TokenSigner, generate_key
from contacts import tables
from crm.contacts.events.v1 import contacts_events_pb2 as events_pb
from crm.contacts.v1 import contacts_pb2 as pb

Refusal = Callable[..., RemoteError]  # (method, request, access) -> the error it must give
DataSets = Callable[[str], Path]

KEY = generate_key()
ACTIONS = (READ, WRITE, IMPORT)


def id_of(name: str) -> str:
    """The same id for the same name in every run."""
    return str(uuid5(NAMESPACE_DNS, name))


HQ, MOSCOW, TULA = id_of("hq"), id_of("moscow"), id_of("tula")
UNITS = {
    HQ: ("hq", "company", ""),
    MOSCOW: ("hq.moscow", "branch", "495"),
    TULA: ("hq.tula", "branch", "4872"),
}


def an_access(unit_id: str = HQ, scope: str = SUBTREE, user: str = "user") -> Access:
    """Somebody of a unit who may read, write and import there."""
    path = UNITS[unit_id][0]
    return Access(id_of(user), user.title(), unit_id, tuple(Grant(action, scope, path) for action in ACTIONS))


STEWARD = Access(id_of("steward"), "Steward", HQ, tuple(Grant(action, ALL) for action in ACTIONS))
MOSCOW_SELLER, TULA_SELLER = an_access(MOSCOW, user="natasha"), an_access(TULA, user="pyotr")
OWN_SELLER = an_access(MOSCOW, OWN, "alexander")


@dataclass
class Contacts:
    """The running service, called as one of the people above."""

    client: Client
    database: Database
    signer: TokenSigner
    tokens: dict[Access, str] = field(default_factory=dict)

    def call(self, method: str, request: Message, access: Access = STEWARD, timeout: float = 60.0) -> Any:
        """The answer of a method."""
        token = self.tokens.setdefault(access, self.signer.sign(access, 3_600))
        with calling_as(token):
            return self.client.call(method, request, timeout=timeout, retry=False)

    def create(self, access: Access = STEWARD, *, allow_duplicate: bool = False, **values: Any) -> Any:
        """Create a person made by `a_person`."""
        request = pb.CreatePersonRequest(person=a_person(**values), allow_duplicate=allow_duplicate)
        return self.call("CreatePerson", request, access)

    def import_persons(self, *rows: pb.PersonRow, **more: Any) -> list[pb.RowFate]:
        """The fates of rows; run, unit and source have defaults."""
        access = more.pop("access", STEWARD)
        run = more.pop("run", "")
        for number, row in enumerate(rows, start=2):
            row.provenance.MergeFrom(pb.Provenance(run_id=run, file="клиенты.xlsx", sheet="Лист1", row=number))
        values = {"unit_id": MOSCOW, "source": "moscow-1c", **more}
        return list(self.call("ImportPersons", pb.ImportPersonsRequest(rows=rows, **values), access).fates)

    def import_organizations(self, *rows: pb.OrganizationRow, **more: Any) -> list[pb.RowFate]:
        """The fates of rows; run, unit and source have defaults."""
        run = more.pop("run", "")
        for number, row in enumerate(rows, start=2):
            row.provenance.MergeFrom(pb.Provenance(run_id=run, file="фирмы.xlsx", sheet="Лист1", row=number))
        values = {"unit_id": MOSCOW, "source": "moscow-1c", **more}
        return list(self.call("ImportOrganizations", pb.ImportOrganizationsRequest(rows=rows, **values)).fates)

    def events(self, *names: str) -> list[Any]:
        """The events of these names in the outbox, decoded, in order."""
        wanted = [f"crm.contacts.events.v1.{name}" for name in names]
        with self.database.transaction() as work:
            rows = work.execute(sa.select(outbox).where(outbox.c.type.in_(wanted)).order_by(outbox.c.id)).all()
        return [getattr(events_pb, row.type.rpartition(".")[2]).FromString(row.data) for row in rows]

    def snapshot(self) -> list[Any]:
        """All that matters of the base: cards with their parts, keys, and how many events were added."""
        with self.database.transaction() as work:
            kept = [
                [tuple(map(str, row)) for row in work.execute(sa.select(table).order_by(*table.primary_key))]
                for table in (tables.person, tables.organization, tables.channel, tables.affiliation, tables.match_key)
            ]
            return [*kept, work.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()]

    def count(self, table: sa.Table) -> Any:
        """The rows of a table."""
        with self.database.transaction() as work:
            return work.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def fates_of(fates: Iterable[pb.RowFate]) -> list[str]:
    """The fates in words."""
    return [pb.Fate.Name(one.fate).removeprefix("FATE_").lower() for one in fates]


def a_phone(text: str, **values: Any) -> pb.Channel:
    """A telephone as written."""
    return pb.Channel(kind=pb.CHANNEL_KIND_PHONE, value=text, **values)


def an_email(text: str, **values: Any) -> pb.Channel:
    """An e-mail as written."""
    return pb.Channel(kind=pb.CHANNEL_KIND_EMAIL, value=text, **values)


def a_person(
    name: str = "Всеволод Гранин", phone: str = "", email: str = "", unit_id: str = MOSCOW, **more: Any
) -> pb.Person:
    """A person with a name and what is given."""
    channels = [*more.pop("channels", ()), *([a_phone(phone)] if phone else ()), *([an_email(email)] if email else ())]
    return pb.Person(display_name=name, channels=channels, unit_id=unit_id, **more)


def a_row(name: str, phone: str = "", email: str = "", organization: str = "", **more: Any) -> pb.PersonRow:
    """A row of a file; what belongs to the row itself and not to its person goes by its own name."""
    own = {key: more.pop(key) for key in list(more) if key in pb.PersonRow.DESCRIPTOR.fields_by_name}
    return pb.PersonRow(person=a_person(name, phone, email, **more), organization_name=organization, **own)
