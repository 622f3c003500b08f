"""Pipelines, products and loss reasons: what there may be, who may add it, and which written names mean it."""

from __future__ import annotations

from chassis.access import ALL, READ, Access, Grant
from chassis.errors import Kind
from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import Desk, a_deal, id_of, seller_of, some_money, steward_of

OPEN, WON, LOST = pb.STAGE_KIND_OPEN, pb.STAGE_KIND_WON, pb.STAGE_KIND_LOST


def a_pipeline(name: str = "Retail", **fields: object) -> pb.Pipeline:
    stages = [
        pb.Stage(name="Asked", kind=OPEN, aliases=["Inquiry", "Спросил"]),
        pb.Stage(name="Paid", kind=WON),
        pb.Stage(name="Gone", kind=LOST),
    ]
    return pb.Pipeline(**{"name": name, "stages": stages, **fields})  # type: ignore[arg-type]


def create(desk: Desk, pipeline: pb.Pipeline) -> pb.Pipeline:
    answer = desk.call("CreatePipeline", pb.CreatePipelineRequest(pipeline=pipeline))
    return answer.pipeline  # type: ignore[no-any-return]


def match(desk: Desk, **texts: list[str]) -> pb.MatchCatalogueResponse:
    return desk.call("MatchCatalogue", pb.MatchCatalogueRequest(**texts))  # type: ignore[arg-type, no-any-return]


def take(desk: Desk, *products: pb.Product, run_id: str = "run-1", dry_run: bool = False) -> list[pb.RowFate]:
    rows = [
        pb.ProductRow(product=one, provenance=pb.Provenance(run_id=run_id, file="p.csv", row=number))
        for number, one in enumerate(products, 2)
    ]
    return list(desk.call("ImportProducts", pb.ImportProductsRequest(rows=rows, dry_run=dry_run)).fates)


def fates(found: list[pb.RowFate]) -> list[str]:
    return [pb.Fate.Name(one.fate).removeprefix("FATE_").lower() for one in found]


def test_a_new_database_has_the_sales_pipeline_and_has_said_so(desk: Desk) -> None:
    (sales,) = desk.call("ListPipelines", pb.ListPipelinesRequest()).pipelines
    assert sales.is_default
    assert [(one.name, one.kind, one.position) for one in sales.stages] == [
        ("Lead", OPEN, 1), ("Qualified", OPEN, 2), ("Proposal", OPEN, 3), ("Negotiation", OPEN, 4), ("Won", WON, 5),
        ("Lost", LOST, 6),
    ]  # fmt: skip
    (fact,) = desk.told("PipelineDefined")
    assert [stage.id for stage in fact.message.pipeline.stages] == [stage.id for stage in sales.stages]


def test_several_pipelines_stand_side_by_side(desk: Desk) -> None:
    made = create(desk, a_pipeline(is_default=True))
    listed = desk.call("ListPipelines", pb.ListPipelinesRequest(page_size=1))
    rest = desk.call("ListPipelines", pb.ListPipelinesRequest(page_size=1, page_token=listed.next_page_token))
    assert [(one.name, one.is_default) for one in (*listed.pipelines, *rest.pipelines)] == [
        ("Retail", True), ("Sales", False),
    ]  # fmt: skip
    assert rest.next_page_token == ""
    opened = desk.open(stage_name="спросил")
    assert (opened.pipeline_id, opened.stage_name) == (made.id, "Asked")
    foreign = a_deal(pipeline_id=made.id, stage_id=desk.stages["Lead"])
    assert desk.refusal("CreateDeal", pb.CreateDealRequest(deal=foreign)).reason == "STAGE_NOT_FOUND"
    moving = pb.MoveDealRequest(deal_id=opened.id, stage_id=desk.stages["Won"])
    assert desk.refusal("MoveDeal", moving).reason == "STAGE_NOT_FOUND"
    assert match(desk, stages=["Inquiry"]).stages[0].id == opened.stage_id
    assert desk.told("PipelineDefined")[-1].message.pipeline.name == "Retail"


CONFUSING: list[tuple[dict[str, object], str]] = [
    ({"name": " "}, "pipeline.name"),
    ({"name": "x" * 101}, "pipeline.name"),
    ({"stages": []}, "pipeline.stages"),
    ({"stages": [pb.Stage(name="a", kind=OPEN), pb.Stage(name="b", kind=WON)]}, "pipeline.stages"),
    ({"stages": [pb.Stage(name="a", kind=WON), pb.Stage(name="b", kind=OPEN)]}, "pipeline.stages[1].kind"),
    ({"stages": [pb.Stage(name="a")]}, "pipeline.stages[0].kind"),
    ({"stages": [pb.Stage(name="a", kind=OPEN), pb.Stage(name="Á", kind=OPEN)]}, "pipeline.stages[1].name"),
    (
        {"stages": [pb.Stage(name="a", kind=OPEN), pb.Stage(name="b", kind=OPEN, aliases=["A"])]},
        "pipeline.stages[1].aliases[0]",
    ),
]


def test_a_pipeline_that_would_confuse_is_refused_by_field(desk: Desk) -> None:
    for change, field in CONFUSING:
        refused = desk.refusal("CreatePipeline", pb.CreatePipelineRequest(pipeline=a_pipeline(**change)))  # type: ignore[arg-type]
        assert (refused.reason, refused.violations[0].field) == ("FIELD_INVALID", field), change


def test_a_taken_pipeline_name_and_missing_rights_are_refused(desk: Desk) -> None:
    refused = desk.refusal("CreatePipeline", pb.CreatePipelineRequest(pipeline=a_pipeline("SALES")))
    assert (refused.kind, refused.reason) == (Kind.ALREADY_EXISTS, "NAME_TAKEN")
    with desk.as_caller(steward_of("moscow")):
        refused = desk.refusal("CreatePipeline", pb.CreatePipelineRequest(pipeline=a_pipeline()))
    assert refused.reason == "NOT_PERMITTED"


def test_stages_are_known_under_the_names_that_workbooks_use(desk: Desk) -> None:
    meaning = {
        "Prospecting": "Lead", "Engaging": "Qualified", "presented": "Proposal", "pending": "Negotiation", "WON": "Won",
        "declined": "Lost", "Успешно реализовано": "Won", "Закрыто и не реализовано": "Lost", "Closed-Won": "Won",
        "Первый контакт": "Lead",
    }  # fmt: skip
    found = match(desk, stages=list(meaning)).stages
    assert {one.text: one.name for one in found} == meaning
    assert [one.id for one in found] == [desk.stages[stage] for stage in meaning.values()]


def test_a_near_name_is_proposed_and_never_taken(desk: Desk) -> None:
    for name in ("GTX Pro", "GTX Plus Pro", "GTX Basic", "MG Special"):
        desk.product(name)
    found = match(desk, products=["GTXPro", "gtx PRO", "nothing like it"], stages=["Qualifed"], loss_reasons=["prise"])
    misspelt, exact, unknown = found.products
    assert (misspelt.id, misspelt.suggestions[0]) == ("", "GTX Pro")
    assert (exact.name, list(exact.suggestions)) == ("GTX Pro", [])
    assert (unknown.id, list(unknown.suggestions)) == ("", [])
    assert (found.stages[0].id, found.stages[0].suggestions[0]) == ("", "Qualified")
    assert (found.loss_reasons[0].id, found.loss_reasons[0].suggestions[0]) == ("", "price")


def test_a_product_is_known_by_name_then_by_article_number(desk: Desk) -> None:
    tea = desk.product("Tea", code="A-1", unit_of_measure="kg", fraction_allowed=True)
    other = desk.product("A-1 steak sauce", code="Tea")
    found = match(desk, products=["a 1", "TEA", ""]).products
    assert (found[0].id, found[0].unit_of_measure, found[0].fraction_allowed) == (tea.id, "kg", True)
    assert (found[1].id, found[2].id) == (tea.id, "")
    assert other.id not in {found[0].id, found[1].id}
    assert desk.told("ProductDefined", tea.id)[0].message.product.fraction_allowed


def test_a_product_name_or_number_stands_once(desk: Desk) -> None:
    desk.product("Tea", code="A-1")
    for taken in (pb.Product(name="tea"), pb.Product(name="Coffee", code="a-1")):
        assert desk.refusal("CreateProduct", pb.CreateProductRequest(product=taken)).reason == "NAME_TAKEN"
    assert [one.name for one in desk.call("ListProducts", pb.ListProductsRequest()).products] == ["Tea"]
    with desk.as_caller(seller_of("moscow", "Anna")):
        new = pb.CreateProductRequest(product=pb.Product(name="Mine"))
        assert desk.refusal("CreateProduct", new).reason == "NOT_PERMITTED"


def test_products_are_listed_by_name_page_by_page(desk: Desk) -> None:
    for name in ("pear", "Apple", "fig"):
        desk.product(name)
    first = desk.call("ListProducts", pb.ListProductsRequest(page_size=2))
    second = desk.call("ListProducts", pb.ListProductsRequest(page_size=2, page_token=first.next_page_token))
    assert [one.name for one in (*first.products, *second.products)] == ["Apple", "fig", "pear"]
    assert second.next_page_token == ""


def test_products_of_a_workbook_come_in_once(desk: Desk) -> None:
    rows = [
        pb.Product(name="Tea", code="1", list_price=some_money("5 EUR")),
        pb.Product(name="tea"),
        pb.Product(name="Tea", category="drinks"),
        pb.Product(name="Tea", list_price=some_money("6 EUR")),
        pb.Product(name="Cup", code="1"),
        pb.Product(name=""),
        pb.Product(name="Mug", list_price=some_money("6 eur")),
    ]
    dry = take(desk, *rows, dry_run=True)
    assert fates(dry) == ["created", "merged", "merged", "refused", "refused", "refused", "refused"]
    assert desk.told("ProductDefined") == []
    found = take(desk, *rows)
    assert fates(found) == fates(dry)
    assert [one.reason for one in found[3:]] == ["ROW_CONTRADICTS", "ROW_CONTRADICTS", "FIELD_INVALID", "FIELD_INVALID"]
    (tea,) = desk.call("ListProducts", pb.ListProductsRequest()).products
    assert (tea.name, tea.code, tea.category, tea.list_price) == ("Tea", "1", "drinks", some_money("5 EUR"))
    assert fates(take(desk, *rows[:3], run_id="run-2")) == ["unchanged"] * 3
    (changed,) = take(desk, pb.Product(name="Tea", list_price=some_money("7 EUR")), run_id="run-3")
    assert (fates([changed]), list(changed.changed_fields)) == (["updated"], ["list_price"])
    assert [fact.version for fact in desk.told("ProductDefined")] == [1, 2]


def test_a_branch_adds_products_and_does_not_overrule_what_all_know(desk: Desk) -> None:
    desk.product("Tea", unit_of_measure="kg")
    with desk.as_caller(steward_of("moscow")):
        found = take(
            desk,
            pb.Product(name="Tea", unit_of_measure="piece"),
            pb.Product(name="Cup"),
            pb.Product(name="Tea", code="7"),
        )
    assert fates(found) == ["refused", "created", "updated"]
    assert found[0].reason == "NOT_PERMITTED"
    reader = Access(id_of("reader"), "Reader", id_of("hq"), (Grant(READ, ALL),))
    with desk.as_caller(reader):
        assert desk.refusal("ImportProducts", pb.ImportProductsRequest()).reason == "NOT_PERMITTED"


def test_the_list_of_loss_reasons_can_be_extended(desk: Desk) -> None:
    desk.call("CreateLossReason", pb.CreateLossReasonRequest(name="moved away"))
    names = desk.call("ListLossReasons", pb.ListLossReasonsRequest()).names
    assert (names[0], names[-1]) == ("price", "moved away")
    assert desk.move(desk.open(), "Lost", loss_reason="Moved Away").loss_reason == "moved away"
    taken = desk.refusal("CreateLossReason", pb.CreateLossReasonRequest(name="Цена"))
    assert taken.reason == "NAME_TAKEN"
    first = desk.call("ListLossReasons", pb.ListLossReasonsRequest(page_size=9))
    rest = desk.call("ListLossReasons", pb.ListLossReasonsRequest(page_size=9, page_token=first.next_page_token))
    assert [*first.names, *rest.names] == list(names)
