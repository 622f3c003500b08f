"""The runner of imports: what it tries again, and what ends a run."""

from __future__ import annotations

import pytest

from chassis.errors import DomainError, Kind, NotPermitted
from chassis.jobs import Job
from imports.jobs import wait_for_unit
from units.visibility import UnitNotKnown

JOB = Job("id", "check", {}, {}, 1, "holder")


def test_a_unit_that_the_owner_does_not_know_yet_is_waited_for() -> None:
    def check(_: Job) -> None:
        raise UnitNotKnown("new")

    with pytest.raises(DomainError, match="no unit 'new' is known here") as trouble:
        wait_for_unit(check, JOB)
    assert trouble.value.kind is Kind.UNAVAILABLE  # what a JobRunner tries again


def test_what_waiting_cannot_mend_stays_as_it_is() -> None:
    def check(_: Job) -> None:
        raise NotPermitted("no")

    with pytest.raises(NotPermitted):
        wait_for_unit(check, JOB)
