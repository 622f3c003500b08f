"""Every refusal of the deals service, one class a reason of its contract."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind


class DealNotFound(DomainError):
    """No such deal, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "DEAL_NOT_FOUND"

    def __init__(self, deal_id: str) -> None:
        super().__init__(f"there is no deal {deal_id[:60]!r} that you may see", metadata={"deal": deal_id[:60]})


class PipelineNotFound(DomainError):
    """No such pipeline."""

    kind = Kind.NOT_FOUND
    reason = "PIPELINE_NOT_FOUND"

    def __init__(self, pipeline_id: str) -> None:
        super().__init__(f"there is no pipeline {pipeline_id[:60]!r}", metadata={"pipeline": pipeline_id[:60]})


class StageNotFound(DomainError):
    """No such stage in the pipeline."""

    kind = Kind.NOT_FOUND
    reason = "STAGE_NOT_FOUND"

    def __init__(self, written: str, pipeline: str, names: Iterable[str]) -> None:
        stages = ", ".join(names)
        super().__init__(
            f"pipeline {pipeline!r} has no stage {written[:60]!r}; its stages are {stages}",
            metadata={"stage": written[:60], "pipeline": pipeline, "stages": stages},
        )


class ProductNotFound(DomainError):
    """No such product."""

    kind = Kind.NOT_FOUND
    reason = "PRODUCT_NOT_FOUND"

    def __init__(self, field: str, product_id: str) -> None:
        super().__init__(
            f"{field}: there is no product {product_id[:60]!r}", metadata={"field": field, "product": product_id[:60]}
        )


class LossReasonRequired(DomainError):
    """A lost deal needs a reason from the list."""

    kind = Kind.PRECONDITION
    reason = "LOSS_REASON_REQUIRED"

    def __init__(self, names: Iterable[str]) -> None:
        reasons = ", ".join(names)
        super().__init__(f"say why the deal was lost, one of: {reasons}", metadata={"reasons": reasons})


class FractionNotAllowed(DomainError):
    """The product is counted in whole units."""

    kind = Kind.INVALID
    reason = "FRACTION_NOT_ALLOWED"

    def __init__(self, field: str, quantity: str, product: str, unit_of_measure: str) -> None:
        sentence = f"fraction {quantity} not allowed for unit {unit_of_measure or 'piece'} of product {product!r}"
        super().__init__(
            f"{field}: {sentence}",
            metadata={"field": field, "quantity": quantity, "product": product, "unit_of_measure": unit_of_measure},
            violations=(FieldViolation(field, f"{sentence}; give a whole number", self.reason),),
        )


class NameTaken(DomainError):
    """A record with this name or article number exists."""

    kind = Kind.ALREADY_EXISTS
    reason = "NAME_TAKEN"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is a {kind} named {name[:100]!r} already", metadata={"name": name[:100]})


def invalid(field: str, description: str) -> FieldInvalid:
    """One field's refusal."""
    return FieldInvalid(FieldViolation(field, description))
