"""Health by the gRPC health protocol: a service is ready while its own database answers; the bus does not count."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
import sqlalchemy as sa
from grpc_health.v1 import health, health_pb2

from chassis.database import Database

READY = health_pb2.HealthCheckResponse.SERVING
NOT_READY = health_pb2.HealthCheckResponse.NOT_SERVING


class Readiness(health.HealthServicer):  # type: ignore[misc]  # the package has no types
    """Answers for each service name and, under the empty name, for all of them together."""

    def __init__(self, databases: Mapping[str, Database | None]) -> None:
        super().__init__()
        self.databases = dict(databases)
        for name in ("", *self.databases):
            self.set(name, READY)

    def Check(self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext) -> object:  # noqa: N802
        """The state of one service; NOT_SERVING while its database cannot be reached."""
        answer = super().Check(request, context)
        if answer.status == READY and not all(map(_answers, self._databases_of(request.service))):
            return health_pb2.HealthCheckResponse(status=NOT_READY)
        return answer

    def _databases_of(self, service: str) -> set[Database]:
        chosen = self.databases.values() if not service else [self.databases.get(service)]
        return {one for one in chosen if one is not None}


def _answers(database: Database) -> bool:
    try:
        with database.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except (sa.exc.DBAPIError, sa.exc.TimeoutError):
        return False
    return True
