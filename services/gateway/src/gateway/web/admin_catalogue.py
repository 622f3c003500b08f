"""What deals are made of: pipelines with their stages, reasons of a loss, products."""

from __future__ import annotations

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import new_id
from crm.deals.v1 import deals_pb2 as pb
from gateway.web.admin import for_administrators
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
KINDS = (("open", pb.STAGE_KIND_OPEN), ("won", pb.STAGE_KIND_WON), ("lost", pb.STAGE_KIND_LOST))


def show_pipelines(visit: Visit) -> Response:
    """Pipelines and reasons of a loss."""
    found = visit.gather(
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest(page_size=200)),
        reasons=("deals", "ListLossReasons", pb.ListLossReasonsRequest(page_size=200)),
    )
    return visit.render(
        "admin/pipelines.html",
        help="admin",
        place="pipelines",
        away=None if found["pipelines"] else found["pipelines"],
        pipelines=found["pipelines"].pipelines if found["pipelines"] else [],
        reasons=found["reasons"].names if found["reasons"] else [],
        kinds={number: name for name, number in KINDS},
        reason_request=new_id(),
    )


def show_new_pipeline(visit: Visit) -> Response:
    """The form of a new pipeline."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/pipelines")
    return visit.render("admin/pipeline_new.html", request_id=new_id())


def create_pipeline(visit: Visit) -> Response:
    """Add a pipeline; its stages stand one a line."""
    stages: list[pb.Stage] = []
    for field, kind in KINDS:
        names = [line.strip() for line in visit.field(field).splitlines() if line.strip()]
        if not names:
            raise FieldInvalid(FieldViolation(field, _("is missing; name one stage at least")))
        stages += [pb.Stage(name=name, kind=kind, position=len(stages) + at) for at, name in enumerate(names, 1)]
    pipeline = pb.Pipeline(name=visit.field("name"), stages=stages, is_default=visit.field("is_default") == "yes")
    asked = pb.CreatePipelineRequest(request_id=visit.field("request_id"), pipeline=pipeline)
    visit.call("deals", "CreatePipeline", asked)
    return visit.go("/admin/pipelines")


def create_reason(visit: Visit) -> Response:
    """Add a reason of a loss."""
    asked = pb.CreateLossReasonRequest(request_id=visit.field("request_id"), name=visit.field("name"))
    visit.call("deals", "CreateLossReason", asked)
    return visit.go("/admin/pipelines")


def set_probability(visit: Visit) -> Response:
    """Say how many of a hundred deals of a stage are expected to be won."""
    written = visit.field("probability")
    if not (written.isascii() and written.isdigit() and len(written) <= 3):
        raise FieldInvalid(FieldViolation("probability", _("write a whole number from 0 to 100")))
    asked = pb.SetStageProbabilityRequest(
        request_id=new_id(), stage_id=visit.field("stage_id"), probability=int(written)
    )
    visit.call("deals", "SetStageProbability", asked)
    return visit.done(_("Saved"))


def show_products(visit: Visit) -> Response:
    """The price list."""
    asked = pb.ListProductsRequest(page_size=ROWS, page_token=visit.query.get("page", ""))
    found = visit.gather(products=("deals", "ListProducts", asked))["products"]
    return visit.render(
        "admin/products.html",
        help="admin",
        place="products",
        away=None if found else found,
        products=found.products if found else [],
        next_token=found.next_page_token if found else "",
    )


PAGES = (
    Page("GET", "/admin/pipelines", for_administrators(show_pipelines)),
    Page("POST", "/admin/pipelines", for_administrators(create_pipeline)),
    Page("GET", "/admin/pipelines/new", for_administrators(show_new_pipeline)),
    Page("POST", "/admin/reasons", for_administrators(create_reason)),
    Page("POST", "/admin/probabilities", for_administrators(set_probability)),
    Page("GET", "/admin/products", for_administrators(show_products)),
)
