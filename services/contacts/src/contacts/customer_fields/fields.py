"""What a field of a company's own is, and what its rules make of the attributes of a card. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chassis.errors import FieldInvalid
from contacts.errors import invalid
from values.names import fold_name
from values.own_fields import FieldType, FieldValueProblem, normalize_field_value


@dataclass(frozen=True, slots=True)
class CustomerField:
    """A field; `unit_path` is that of the unit to whose subtree it belongs, empty for the whole company."""

    id: str
    version: int
    record_type: str
    key: str
    label: str
    type: FieldType
    labels: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    choices: tuple[str, ...] = ()
    default_value: str = ""
    unit_id: str = ""
    unit_path: str = ""
    retired: bool = False

    def belongs_to(self, path: str) -> bool:
        """Tell whether the unit at this path is within the field's."""
        return not self.unit_id or f"{path}.".startswith(f"{self.unit_path}.")

    def read(self, where: str, written: str) -> str:
        """A value in its one spelling. Errors: FieldInvalid with the way out."""
        found = normalize_field_value(self.type, written, self.choices)
        if isinstance(found, FieldValueProblem):
            hint = f"; use one of {', '.join(self.choices[:20])}" if self.choices else ""
            raise invalid(where, f"{self.label}: {written[:50]!r} is {found.reason.value}{hint}", found.reason.name)
        return found.text


class Rules:
    """The fields in use of one type of cards, as they hold in one unit; false where there are none."""

    def __init__(self, fields: Iterable[CustomerField], unit_path: str) -> None:
        self._fields = tuple(one for one in fields if not one.retired)
        self._by_key = {one.key: one for one in self._fields}
        self._names = _names_of(self._fields)
        self._here = tuple(one for one in self._fields if one.belongs_to(unit_path))

    def __bool__(self) -> bool:
        return bool(self._fields)

    def find(self, name: str) -> CustomerField | None:
        """The field that a key, a label in any language or another spelling of one means."""
        return self._by_key.get(name) or self._names.get(fold_name(name))

    def read(self, where: str, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes with what belongs to fields under their keys and in one spelling. Errors: FieldInvalid."""
        read: dict[str, str] = {}
        for name, text in attributes.items():
            known = self.find(name)
            value = known.read(f"{where}[{known.key[:50]}]", text) if known else text
            if value:
                read[known.key if known else name] = value
        return read

    def complete(self, attributes: dict[str, str]) -> tuple[dict[str, str], list[CustomerField]]:
        """The attributes of a new card with the defaults of this unit, and the fields that it lacks."""
        defaults = {one.key: one.default_value for one in self._here if one.default_value}
        full = {**defaults, **attributes} if defaults else attributes
        return full, [one for one in self._here if one.required and not full.get(one.key)]

    def require_filled(self, where: str, attributes: Mapping[str, str]) -> None:
        """Errors: FieldInvalid where a field that is required here has no value."""
        lacking = [one for one in self._here if one.required and not attributes.get(one.key)]
        if lacking:
            raise missing(where, lacking)

    def require_still_filled(self, where: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Errors: FieldInvalid where a required value was taken away; one that was never there may wait."""
        lost = [one for one in self._here if one.required and before.get(one.key) and not after.get(one.key)]
        if lost:
            raise missing(where, lost)

    def shown(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """The values of the fields among attributes."""
        return {key: attributes[key] for key in self._by_key if key in attributes}


def missing(where: str, lacking: list[CustomerField]) -> FieldInvalid:
    """The refusal of a card without values that it must have."""
    labels = ", ".join(one.label for one in lacking)
    return invalid(f"{where}[{lacking[0].key[:50]}]", f"is empty; fill in {labels}", "MISSING")


def _names_of(fields: Iterable[CustomerField]) -> dict[str, CustomerField]:
    """Fields by folded names: a key before a label, of two fields with one label neither."""
    labelled: dict[str, CustomerField | None] = {}
    for one in fields:
        for name in {fold_name(label) for label in (one.label, *one.labels.values())}:
            labelled[name] = None if name in labelled else one
    keyed = {fold_name(one.key): one for one in fields}
    return {name: one for name, one in {**labelled, **keyed}.items() if one is not None and name}


NO_RULES = Rules((), "")
