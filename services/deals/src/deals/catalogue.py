"""What deals are made of: pipelines, products and loss reasons, read together; and which of them written names mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from chassis.database import UnitOfWork
from chassis.ids import is_id
from deals.errors import invalid
from deals.loss_reasons import LossReasons, read_loss_reasons
from deals.pipelines import Pipelines, read_pipelines
from deals.products import find_products, read_all_names, read_products
from deals.records import Product, Stage
from deals.rules import propose_names
from values.names import fold_name

MAX_TEXTS = 1_000


@dataclass(frozen=True)
class Catalogue:
    """Pipelines whole; of the products those that were asked for, by id; loss reasons once somebody asks."""

    pipelines: Pipelines
    products: dict[str, Product]
    read_reasons: Callable[[], LossReasons]

    @cached_property
    def loss_reasons(self) -> LossReasons:
        """The list of loss reasons, read when a deal is lost."""
        return self.read_reasons()


@dataclass(frozen=True)
class Match:
    """What a written name means: one record, or proposals, best first."""

    text: str
    product: Product | None = None
    stage: Stage | None = None
    loss_reason: str = ""
    suggestions: tuple[str, ...] = ()


def read_catalogue(work: UnitOfWork, product_ids: Iterable[str]) -> Catalogue:
    """Everything a deal refers to; unknown product ids are left out."""
    wanted = sorted({one for one in product_ids if is_id(one)})
    products = read_products(work, wanted) if wanted else {}
    return Catalogue(read_pipelines(work), products, lambda: read_loss_reasons(work))


def match_products(work: UnitOfWork, texts: Sequence[str]) -> list[Match]:
    """Which products names or article numbers mean; a near one is only proposed. Errors: FieldInvalid over 1,000."""
    _check_count("products", texts)
    found = find_products(work, {fold_name(text) for text in texts if text.strip()})
    names = read_all_names(work) if any(fold_name(text) not in found for text in texts) else []
    return [_matched_product(text, found.get(fold_name(text)), names) for text in texts]


def match_stages(work: UnitOfWork, texts: Sequence[str], pipeline_id: str) -> list[Match]:
    """Which stages of a pipeline names mean. Errors: PipelineNotFound, FieldInvalid over 1,000."""
    _check_count("stages", texts)
    if not texts:
        return []
    pipelines = read_pipelines(work)
    home = pipelines.get(pipeline_id)
    spellings = {name: stage.name for stage in home.stages for name in (stage.name, *stage.aliases)}
    matches = []
    for text in texts:
        known = pipelines.by_name.get((home.id, fold_name(text)))
        near = () if known else _proper(propose_names(text, spellings), spellings)
        matches.append(Match(text, stage=known, suggestions=near))
    return matches


def match_loss_reasons(work: UnitOfWork, texts: Sequence[str]) -> list[Match]:
    """Which loss reasons of the list texts mean. Errors: FieldInvalid over 1,000."""
    _check_count("loss_reasons", texts)
    if not texts:
        return []
    reasons = read_loss_reasons(work)
    matches = []
    for text in texts:
        known = reasons.find(text)
        near = () if known else _proper(propose_names(text, reasons.by_key), reasons.by_key)
        matches.append(Match(text, loss_reason=known, suggestions=near))
    return matches


def _matched_product(text: str, known: Product | None, names: Sequence[str]) -> Match:
    near = () if known or not text.strip() else tuple(propose_names(text, names))
    return Match(text, product=known, suggestions=near)


def _proper(near: Iterable[str], proper: dict[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(proper[name] for name in near))


def _check_count(field: str, texts: Sequence[str]) -> None:
    if len(texts) > MAX_TEXTS:
        raise invalid(field, f"has {len(texts)} texts; ask for at most {MAX_TEXTS} at once")
