"""Door 1: the gRPC servicer of deals. Translate, call, translate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from chassis.database import Database, UnitOfWork
from chassis.dates import from_date
from chassis.once import answer_once
from chassis.paging import make_token, page_size, read_token
from chassis.rpc.server import Servicer, current_access
from crm.deals.v1 import deals_pb2 as pb
from crm.deals.v1 import deals_pb2_grpc as pb_grpc
from deals import (
    assigning,
    board,
    catalogue,
    finding,
    forecasting,
    grouping_deals,
    loss_reasons,
    messages,
    moves,
    moving,
    opening,
    owners,
    pipelines,
    plans,
    products,
    queries,
    sorting,
    updating,
)
from deals.composing import compose_id
from deals.errors import invalid
from deals.importing_deals import import_deals
from deals.importing_plans import import_plans
from deals.importing_products import import_products
from deals.merged_customers import lead_question
from deals.pipelines import MAX_STAGES
from deals.readings import LISTS, READINGS, STOPPED
from deals.records import OPEN
from deals.settings import Settings
from deals.times import from_time
from units.freezing import Freeze
from units.records import DEAL
from units.wall import wall_of
from values.names import fold_name

POOL = 3  # connections at hand for a rush: with two cores more would only wait for each other
MAX_BATCH = 500
MAX_COLUMN = 50  # cards that somebody may look through; the rest is asked for page by page
A = TypeVar("A", bound=Message)


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The servicers of deals over its own database."""
    database = Database(settings.database_url, "deals", pool_size=POOL, overflow=8, wall=wall_of(DEAL))
    return (
        Servicer(
            "deals",
            DealsServicer(database),
            pb_grpc.add_DealsServiceServicer_to_server,
            readings=READINGS,
            admit=Freeze(database, STOPPED, LISTS).admit,
        ),
    )


class DealsServicer(pb_grpc.DealsServiceServicer):
    """Answers the calls of crm.deals.v1.DealsService."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def _once(self, request: Message, kind: type[A], act: Callable[[UnitOfWork], A]) -> A:
        return self.database.attempt(lambda work: answer_once(work, request, kind, lambda: act(work)), current_access())

    def CreatePipeline(self, request: pb.CreatePipelineRequest, _: grpc.ServicerContext) -> pb.CreatePipelineResponse:
        """Define a pipeline with its stages."""
        asked = request.pipeline
        stages = [messages.new_stage(one) for one in asked.stages]

        def act(work: UnitOfWork) -> pb.CreatePipelineResponse:
            made = pipelines.define_pipeline(work, asked.name, stages, asked.is_default)
            return pb.CreatePipelineResponse(pipeline=messages.pipeline_message(made))

        return self._once(request, pb.CreatePipelineResponse, act)

    def SetStageProbability(
        self, request: pb.SetStageProbabilityRequest, _: grpc.ServicerContext
    ) -> pb.SetStageProbabilityResponse:
        """Say how many of a hundred deals of a stage are won."""

        def act(work: UnitOfWork) -> pb.SetStageProbabilityResponse:
            changed = pipelines.set_probability(work, request.stage_id, request.probability)
            return pb.SetStageProbabilityResponse(pipeline=messages.pipeline_message(changed))

        return self._once(request, pb.SetStageProbabilityResponse, act)

    def ListPipelines(self, request: pb.ListPipelinesRequest, _: grpc.ServicerContext) -> pb.ListPipelinesResponse:
        """List pipelines by name."""
        size = page_size(request.page_size, 100, 200)
        after = read_token("pipelines", request.page_token) or [""]
        with self.database.reading(current_access()) as work:
            everything = pipelines.read_pipelines(work).all
        found = [one for one in everything if fold_name(one.name) > str(after[0])][: size + 1]
        token = make_token("pipelines", [fold_name(found[size - 1].name)]) if len(found) > size else ""
        page = [messages.pipeline_message(one) for one in found[:size]]
        return pb.ListPipelinesResponse(pipelines=page, next_page_token=token)

    def CreateDeal(self, request: pb.CreateDealRequest, _: grpc.ServicerContext) -> pb.CreateDealResponse:
        """Record a deal."""

        def act(work: UnitOfWork) -> pb.CreateDealResponse:
            return pb.CreateDealResponse(deal=messages.deal_message(opening.open_deal(work, request.deal)))

        return self._once(request, pb.CreateDealResponse, act)

    def UpdateDeal(self, request: pb.UpdateDealRequest, _: grpc.ServicerContext) -> pb.UpdateDealResponse:
        """Change fields of a deal."""
        with self.database.transaction(current_access()) as work:
            changed = updating.update_deal(work, request.deal, request.update_mask.paths, request.etag)
            return pb.UpdateDealResponse(deal=messages.deal_message(changed))

    def MoveDeal(self, request: pb.MoveDealRequest, _: grpc.ServicerContext) -> pb.MoveDealResponse:
        """Move a deal to a stage."""
        day = from_date(request.change_date, "change_date")

        def act(work: UnitOfWork) -> pb.MoveDealResponse:
            moved = moving.move_deal(
                work, request.deal_id, request.stage_id, request.etag, request.loss_reason, request.loss_comment, day
            )
            return pb.MoveDealResponse(deal=messages.deal_message(moved))

        return self._once(request, pb.MoveDealResponse, act)

    def GetDeal(self, request: pb.GetDealRequest, _: grpc.ServicerContext) -> pb.GetDealResponse:
        """Read a deal."""
        with self.database.reading(current_access()) as work:
            return pb.GetDealResponse(deal=messages.deal_message(queries.get_deal(work, request.deal_id)))

    def BatchGetDeals(self, request: pb.BatchGetDealsRequest, _: grpc.ServicerContext) -> pb.BatchGetDealsResponse:
        """Read several deals."""
        if len(request.deal_ids) > MAX_BATCH:
            raise invalid("deal_ids", f"has {len(request.deal_ids)} ids; ask for at most {MAX_BATCH} at once")
        with self.database.reading(current_access()) as work:
            found = queries.get_deals(work, set(request.deal_ids))
        return pb.BatchGetDealsResponse(deals=[messages.deal_message(one) for one in found])

    def ListDeals(self, request: pb.ListDealsRequest, _: grpc.ServicerContext) -> pb.ListDealsResponse:
        """List deals, youngest first."""
        size = page_size(request.page_size, 50, 500)
        question = read_question(request)
        order = messages.ORDERS.get(request.order, "")
        if order:
            return self._list_sorted(request, question, order, size)
        with self.database.reading(current_access()) as work:
            after = read_token(f"deals:{question}", request.page_token)
            found = queries.list_deals(work, lead_question(work, question), size + 1, after)
        token = make_token(f"deals:{question}", [found[size - 1].id]) if len(found) > size else ""
        page = [messages.deal_message(one) for one in found[:size]]
        return pb.ListDealsResponse(deals=page, next_page_token=token)

    def _list_sorted(
        self, request: pb.ListDealsRequest, question: queries.Question, order: str, size: int
    ) -> pb.ListDealsResponse:
        named = name_question(question, order, request.descending)
        after = read_token(named, request.page_token)
        with self.database.reading(current_access()) as work:
            page = sorting.sort_deals(work, lead_question(work, question), order, request.descending, size, after)
        token = make_token(named, page.next_key) if page.next_key else ""
        return pb.ListDealsResponse(deals=[messages.deal_message(one) for one in page.deals], next_page_token=token)

    def SearchDeals(self, request: pb.SearchDealsRequest, _: grpc.ServicerContext) -> pb.SearchDealsResponse:
        """Find deals by what was typed."""
        size = page_size(request.page_size, 20, 50)
        wanted = finding.Wanted(request.query, tuple(request.organization_ids), tuple(request.person_ids))
        with self.database.reading(current_access()) as work:
            found = finding.search_deals(work, wanted, size)
        return pb.SearchDealsResponse(deals=[messages.deal_message(one) for one in found])

    def ListDealMoves(self, request: pb.ListDealMovesRequest, _: grpc.ServicerContext) -> pb.ListDealMovesResponse:
        """List who moved what when."""
        size = page_size(request.page_size, 50, 200)
        span = read_span(request)
        after = read_token(f"moves:{span}", request.page_token)
        with self.database.reading(current_access()) as work:
            found = moves.list_moves(work, span, size + 1, after)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = make_token(f"moves:{span}", [last.change_time.isoformat(), last.deal_id, last.position])
        return pb.ListDealMovesResponse(
            moves=[messages.move_message(one) for one in found[:size]], next_page_token=token
        )

    def SummarizeDealMoves(
        self, request: pb.SummarizeDealMovesRequest, _: grpc.ServicerContext
    ) -> pb.SummarizeDealMovesResponse:
        """Count who moved how much."""
        with self.database.reading(current_access()) as work:
            found = moves.summarize_moves(work, read_span(request))
        return pb.SummarizeDealMovesResponse(movers=[messages.mover_message(one) for one in found])

    def SumDeals(self, request: pb.SumDealsRequest, _: grpc.ServicerContext) -> pb.SumDealsResponse:
        """Count deals and sum their values."""
        with self.database.reading(current_access()) as work:
            sums = board.sum_deals(work, read_question(request))
        amounts = messages.amount_messages(sums.amounts)
        return pb.SumDealsResponse(count=sums.count, amounts=amounts, unvalued_count=sums.unvalued)

    def GroupDeals(self, request: pb.GroupDealsRequest, _: grpc.ServicerContext) -> pb.GroupDealsResponse:
        """Sum deals by what they share."""
        grouping = messages.GROUPINGS.get(request.grouping)
        if grouping is None:
            raise invalid("grouping", "is not stated; say by what")
        with self.database.reading(current_access()) as work:
            found = grouping_deals.group_deals(work, read_question(request.question), grouping)
        return pb.GroupDealsResponse(groups=[messages.group_message(key, sums) for key, sums in found])

    def SumForecast(self, request: pb.SumForecastRequest, _: grpc.ServicerContext) -> pb.SumForecastResponse:
        """Sum what is expected to be won, by month and stage."""
        with self.database.reading(current_access()) as work:
            found = forecasting.sum_forecast(work, read_question(request))
        return pb.SumForecastResponse(sums=[messages.forecast_message(one) for one in found])

    def GetBoard(self, request: pb.GetBoardRequest, _: grpc.ServicerContext) -> pb.GetBoardResponse:
        """Show a pipeline as columns."""
        size = request.column_size or 20
        if not 1 <= size <= MAX_COLUMN:
            raise invalid("column_size", f"is {size}; use 1 to {MAX_COLUMN}, or 0 for 20")
        if len(request.stage_ids) > MAX_STAGES:
            raise invalid("stage_ids", f"are {len(request.stage_ids)}; use at most {MAX_STAGES}")
        question = read_question(request)
        with self.database.reading(current_access()) as work:
            pipeline, columns = board.read_board(work, question, size, frozenset(request.stage_ids))
        shown = pb.GetBoardResponse(pipeline=messages.pipeline_message(pipeline))
        for one in columns:
            rest = replace(question, pipeline_id=pipeline.id, stage_id=one.stage.id)
            shown.columns.add(
                stage=messages.stage_message(one.stage),
                count=one.sums.count,
                amounts=messages.amount_messages(one.sums.amounts),
                deals=[messages.card_message(row, one.stage) for row in one.deals],
                next_page_token=make_token(name_question(rest, "stage_time", True), one.next_key)
                if one.next_key
                else "",
            )
        return shown

    def CreateProduct(self, request: pb.CreateProductRequest, _: grpc.ServicerContext) -> pb.CreateProductResponse:
        """Add a product."""
        facts = products.read_facts(request.product)

        def act(work: UnitOfWork) -> pb.CreateProductResponse:
            made = products.create_product(work, facts)
            return pb.CreateProductResponse(product=messages.product_message(made))

        return self._once(request, pb.CreateProductResponse, act)

    def ListProducts(self, request: pb.ListProductsRequest, _: grpc.ServicerContext) -> pb.ListProductsResponse:
        """List products by name."""
        size = page_size(request.page_size, 200, 1000)
        after = read_token("products", request.page_token)
        with self.database.reading(current_access()) as work:
            found = products.list_products(work, size + 1, after)
        token = make_token("products", [fold_name(found[size - 1].name)]) if len(found) > size else ""
        page = [messages.product_message(one) for one in found[:size]]
        return pb.ListProductsResponse(products=page, next_page_token=token)

    def CreateLossReason(
        self, request: pb.CreateLossReasonRequest, _: grpc.ServicerContext
    ) -> pb.CreateLossReasonResponse:
        """Add a reason to the list."""

        def act(work: UnitOfWork) -> pb.CreateLossReasonResponse:
            return pb.CreateLossReasonResponse(name=loss_reasons.add_loss_reason(work, request.name))

        return self._once(request, pb.CreateLossReasonResponse, act)

    def ListLossReasons(
        self, request: pb.ListLossReasonsRequest, _: grpc.ServicerContext
    ) -> pb.ListLossReasonsResponse:
        """List loss reasons in their order."""
        size = page_size(request.page_size, 100, 200)
        start = int((read_token("loss_reasons", request.page_token) or [0])[0])
        with self.database.reading(current_access()) as work:
            names = loss_reasons.read_loss_reasons(work).names
        token = make_token("loss_reasons", [start + size]) if len(names) > start + size else ""
        return pb.ListLossReasonsResponse(names=names[start : start + size], next_page_token=token)

    def MatchCatalogue(self, request: pb.MatchCatalogueRequest, _: grpc.ServicerContext) -> pb.MatchCatalogueResponse:
        """Say what written names mean."""
        with self.database.reading(current_access()) as work:
            found_products = catalogue.match_products(work, request.products)
            found_stages = catalogue.match_stages(work, request.stages, request.pipeline_id)
            found_reasons = catalogue.match_loss_reasons(work, request.loss_reasons)
        return pb.MatchCatalogueResponse(
            products=[messages.match_message(one) for one in found_products],
            stages=[messages.match_message(one) for one in found_stages],
            loss_reasons=[messages.match_message(one) for one in found_reasons],
        )

    def SetPlan(self, request: pb.SetPlanRequest, _: grpc.ServicerContext) -> pb.SetPlanResponse:
        """Set a planned figure."""

        def act(work: UnitOfWork) -> pb.SetPlanResponse:
            return pb.SetPlanResponse(plan=messages.plan_message(plans.set_plan(work, request.plan)))

        return self._once(request, pb.SetPlanResponse, act)

    def ListPlans(self, request: pb.ListPlansRequest, _: grpc.ServicerContext) -> pb.ListPlansResponse:
        """List planned figures by period and unit."""
        size = page_size(request.page_size, 200, 1000)
        question = f"plans:{request.unit_id}"
        with self.database.reading(current_access()) as work:
            found = plans.list_plans(work, request.unit_id, size + 1, read_token(question, request.page_token))
        token = make_token(question, plans.page_key(found[size - 1])) if len(found) > size else ""
        page = [messages.plan_message(one) for one in found[:size]]
        return pb.ListPlansResponse(plans=page, next_page_token=token)

    def ImportProducts(self, request: pb.ImportProductsRequest, _: grpc.ServicerContext) -> pb.ImportProductsResponse:
        """Take products of a workbook."""

        def act(work: UnitOfWork) -> pb.ImportProductsResponse:
            return pb.ImportProductsResponse(fates=import_products(work, request))

        return self._once(request, pb.ImportProductsResponse, act)

    def ImportDeals(self, request: pb.ImportDealsRequest, _: grpc.ServicerContext) -> pb.ImportDealsResponse:
        """Take deals of a workbook."""

        def act(work: UnitOfWork) -> pb.ImportDealsResponse:
            return pb.ImportDealsResponse(fates=import_deals(work, request))

        return self._once(request, pb.ImportDealsResponse, act)

    def HandOverDeals(self, request: pb.HandOverDealsRequest, _: grpc.ServicerContext) -> pb.HandOverDealsResponse:
        """Give a user's open deals to another one."""
        return self._once(request, pb.HandOverDealsResponse, lambda work: owners.hand_over_deals(work, request))

    def AssignDeals(self, request: pb.AssignDealsRequest, _: grpc.ServicerContext) -> pb.AssignDealsResponse:
        """Give named deals to users."""
        return self._once(request, pb.AssignDealsResponse, lambda work: assigning.assign_deals(work, request))

    def GetDealOwnerHistory(
        self, request: pb.GetDealOwnerHistoryRequest, _: grpc.ServicerContext
    ) -> pb.GetDealOwnerHistoryResponse:
        """List how the responsible user of a deal changed."""
        with self.database.reading(current_access()) as work:
            return owners.list_owner_changes_of_deal(work, request)

    def ImportPlans(self, request: pb.ImportPlansRequest, _: grpc.ServicerContext) -> pb.ImportPlansResponse:
        """Take planned figures of a workbook."""

        def act(work: UnitOfWork) -> pb.ImportPlansResponse:
            return pb.ImportPlansResponse(fates=import_plans(work, request))

        return self._once(request, pb.ImportPlansResponse, act)


def read_question(
    request: pb.ListDealsRequest | pb.SumDealsRequest | pb.GetBoardRequest | pb.SumForecastRequest,
) -> queries.Question:
    """Which deals a list, a sum, a board or a forecast is about. Errors: FieldInvalid."""
    question = queries.Question(
        unit_id=request.unit_id,
        organization_id=compose_id("organization_id", request.organization_id),
        person_id=compose_id("person_id", request.person_id),
        owner_id=compose_id("owner_id", request.owner_id),
        pipeline_id=compose_id("pipeline_id", request.pipeline_id),
    )
    if isinstance(request, pb.SumForecastRequest):
        return replace(question, status=OPEN)
    question = replace(question, closed_from=from_date(request.closed_from_date, "closed_from_date"))
    if isinstance(request, pb.GetBoardRequest):
        return question
    return replace(
        question,
        status=messages.KINDS.get(request.status, ""),
        stage_id=compose_id("stage_id", request.stage_id),
        expected_from=from_date(request.expected_from_date, "expected_from_date"),
        expected_before=from_date(request.expected_before_date, "expected_before_date"),
        undated=request.without_expected_date,
        exact_unit=compose_id("exact_unit_id", request.exact_unit_id),
        unowned=request.without_owner,
        only=read_ids(request) if isinstance(request, pb.ListDealsRequest) else (),
    )


MOST_IDS = 500  # as many as a page has


def read_ids(request: pb.ListDealsRequest) -> tuple[str, ...]:
    """The deals that a list is narrowed to. Errors: FieldInvalid for too many, and for what is no id."""
    if len(request.deal_ids) > MOST_IDS:
        raise invalid("deal_ids", f"has {len(request.deal_ids)} ids; name at most {MOST_IDS}")
    return tuple(compose_id("deal_ids", one) for one in request.deal_ids)


def name_question(question: queries.Question, order: str, descending: bool) -> str:
    """The name under which page tokens of a sorted list belong together."""
    return f"deals by {order} {'down' if descending else 'up'}:{question}"


def read_span(request: pb.ListDealMovesRequest | pb.SummarizeDealMovesRequest) -> moves.Span:
    """Whose steps and when. Errors: FieldInvalid."""
    return moves.Span(
        from_time(request.change_from_time, "change_from_time"),
        from_time(request.change_before_time, "change_before_time"),
        request.unit_id,
        request.user_id if isinstance(request, pb.ListDealMovesRequest) else "",
    )
