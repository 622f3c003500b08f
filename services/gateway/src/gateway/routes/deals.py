"""Deals, pipelines, products, loss reasons and plans."""

from gateway.calls import PAGE, Call

NARROWED = ("unit=unit_id", "owner_id", "organization_id", "person_id", "pipeline_id", "closed_from_date")
LISTED = (*NARROWED, "status", "stage_id", "expected_from_date", "expected_before_date", "without_expected_date")

DEALS = (
    Call("POST", "/deals", "deals", "CreateDeal", "Open a deal", body="deal", answer="deal", status=201),
    Call(
        "GET",
        "/deals",
        "deals",
        "ListDeals",
        "List deals, by default the youngest first",
        query=(*PAGE, *LISTED, "order", "descending"),
    ),
    Call(
        "GET",
        "/deals/board",
        "deals",
        "GetBoard",
        "Read a pipeline as a board: the deals that entered each stage last, counts and sums",
        query=(*NARROWED, "column_size", "stage_ids"),
    ),
    Call(
        "GET",
        "/deals/sums",
        "deals",
        "SumDeals",
        "Count deals and sum their values",
        query=LISTED,
    ),
    Call("GET", "/deals/{deal_id}", "deals", "GetDeal", "Read a deal", answer="deal"),
    Call(
        "PATCH",
        "/deals/{deal_id}",
        "deals",
        "UpdateDeal",
        "Change a deal, never its stage",
        body="deal",
        answer="deal",
        path_fields={"deal_id": "deal.id"},
    ),
    Call(
        "POST",
        "/deals/hand_over",
        "deals",
        "HandOverDeals",
        "Give a user's open deals to another user, or count them",
        body="*",
    ),
    Call(
        "POST",
        "/deals/assign",
        "deals",
        "AssignDeals",
        "Give chosen deals to users, or say what would become of each",
        body="*",
    ),
    Call(
        "GET",
        "/deals/forecast",
        "deals",
        "SumForecast",
        "Sum what open deals are expected to bring, by month and stage",
        query=tuple(one for one in NARROWED if one != "closed_from_date"),
    ),
    Call(
        "GET",
        "/deals/{deal_id}/owner_history",
        "deals",
        "GetDealOwnerHistory",
        "Read who was responsible for a deal before, newest first",
    ),
    Call("POST", "/deals/{deal_id}/move", "deals", "MoveDeal", "Move a deal to a stage", body="*", answer="deal"),
)
PIPELINES = (
    Call(
        "POST",
        "/pipelines",
        "deals",
        "CreatePipeline",
        "Define a pipeline with its stages",
        body="pipeline",
        answer="pipeline",
        status=201,
    ),
    Call("GET", "/pipelines", "deals", "ListPipelines", "List pipelines with their stages", query=PAGE),
    Call("POST", "/loss_reasons", "deals", "CreateLossReason", "Add a reason of losses", body="*", status=201),
    Call("GET", "/loss_reasons", "deals", "ListLossReasons", "List the reasons of losses", query=PAGE),
)
PRODUCTS = (
    Call(
        "POST",
        "/products",
        "deals",
        "CreateProduct",
        "Create a product",
        body="product",
        answer="product",
        status=201,
    ),
    Call("GET", "/products", "deals", "ListProducts", "List products by name", query=PAGE),
)
PLANS = (
    Call("PUT", "/plans", "deals", "SetPlan", "Set a plan figure", body="plan", answer="plan"),
    Call("GET", "/plans", "deals", "ListPlans", "List plan figures", query=(*PAGE, "unit=unit_id")),
)
