"""Deals, pipelines, products, loss reasons and plans."""

from gateway.calls import PAGE, Call

DEALS = (
    Call("POST", "/deals", "deals", "CreateDeal", "Open a deal", body="deal", answer="deal", status=201),
    Call(
        "GET",
        "/deals",
        "deals",
        "ListDeals",
        "List deals, youngest first",
        query=(*PAGE, "unit=unit_id", "status", "organization_id", "person_id", "owner_id"),
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
