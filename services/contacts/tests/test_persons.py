"""One card per real person: made from a name and a phone, found again under other spellings, never shown to others."""

from __future__ import annotations

from contacts.tables import person


def test_a_name_and_a_phone_are_enough(contacts):
    answer = contacts.create(name="Всеволод Гранин", phone="8 (495) 123-45-67")
    assert not answer.existed
    [channel] = answer.person.channels
    assert (channel.value, channel.raw, channel.verified) == ("+74951234567", "8 (495) 123-45-67", True)
    [event] = contacts.events("PersonCreated")
    assert event.person.personal.phones == ["+74951234567"]
    assert contacts.count(person) == 1
