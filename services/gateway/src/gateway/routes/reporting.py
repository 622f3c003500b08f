"""Reports, the records behind their figures, exchange rates, and how fresh it all is."""

from gateway.calls import PAGE, Call

REPORT_TIME = 30.0  # seconds
PARAMETERS = (
    "unit=parameters.unit_id",
    "from=parameters.from_date",
    "to=parameters.to_date",
    "group_by=parameters.group_by",
    "pipeline_id=parameters.pipeline_id",
    "user_id=parameters.user_id",
    "product_id=parameters.product_id",
    "currency_code=parameters.currency_code",
    "metric=parameters.metric",
    "tree_date=parameters.tree_date",
)
REPORTS = (
    Call("GET", "/reports", "reporting", "ListReports", "List the reports"),
    Call("GET", "/reports/{name}", "reporting", "RunReport", "Run a report", query=PARAMETERS, timeout=REPORT_TIME),
    Call(
        "GET",
        "/reports/{name}/records",
        "reporting",
        "ListReportRecords",
        "List the records behind a figure",
        query=(*PARAMETERS, "drill_key", *PAGE),
        timeout=REPORT_TIME,
    ),
)
EXCHANGE_RATES = (
    Call(
        "POST",
        "/exchange_rates",
        "reporting",
        "SetExchangeRate",
        "Set an exchange rate for a day and after",
        body="rate",
        answer="rate",
        status=201,
    ),
    Call("GET", "/exchange_rates", "reporting", "ListExchangeRates", "List exchange rates", query=PAGE),
)
FRESHNESS = (
    Call(
        "GET",
        "/freshness",
        "reporting",
        "GetFreshness",
        "Say how far the read models are behind",
        query=("with_digest",),
        timeout=REPORT_TIME,
    ),
)
