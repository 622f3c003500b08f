"""Signing in and out, and who is signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from chassis.rpc.client import calling_as
from crm.directory.v1 import directory_pb2 as pb
from gateway.calls import bearer
from gateway.json_values import to_json
from gateway.limits import SignInPace
from gateway.schemas import answer_model
from gateway.services import Services
from gateway.signed_in import SignedIn


class NewSession(BaseModel):
    """Login and password, and the code of an account with a second factor."""

    model_config = ConfigDict(strict=True, extra="forbid")
    login: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=200)]
    code: Annotated[str, Field(max_length=40)] = ""


class Refresh(BaseModel):
    """The refresh token of the session; good once."""

    model_config = ConfigDict(strict=True, extra="forbid")
    refresh_token: Annotated[str, Field(max_length=500)]


def add_session_routes(router: APIRouter, services: Services, signed_in: SignedIn, pace: SignInPace) -> None:
    """Add the routes of sessions."""
    signed = answer_model(pb.SignInResponse.DESCRIPTOR)

    @router.post("/sessions", operation_id="signIn", summary="Sign in", status_code=201, response_model=signed)
    def sign_in(body: NewSession, request: Request) -> Any:
        address = request.client.host if request.client else ""
        pace.take(address)
        device = request.headers.get("user-agent", "")
        asked = pb.SignInRequest(
            login=body.login, password=body.password, device=device, address=address, code=body.code
        )
        return JSONResponse(to_json(services.call("directory", "SignIn", asked)), 201)

    @router.post(
        "/sessions/refresh",
        operation_id="refreshToken",
        summary="Get the next access token",
        response_model=answer_model(pb.RefreshTokenResponse.DESCRIPTOR),
    )
    def refresh(body: Refresh, request: Request) -> Any:
        pace.take(request.client.host if request.client else "")
        asked = pb.RefreshTokenRequest(refresh_token=body.refresh_token)
        return JSONResponse(to_json(services.call("directory", "RefreshToken", asked)))

    @router.delete("/sessions", operation_id="signOut", summary="Sign out", status_code=204)
    def sign_out(body: Refresh) -> Response:
        services.call("directory", "SignOut", pb.SignOutRequest(refresh_token=body.refresh_token))
        return Response(status_code=204)

    @router.get(
        "/users/me",
        operation_id="getOwnUser",
        summary="Read the own user",
        response_model=answer_model(pb.User.DESCRIPTOR),
        dependencies=[Depends(bearer)],
    )
    def own_user(request: Request) -> Any:
        with calling_as(signed_in.token_of(request)):
            return JSONResponse(to_json(services.call("directory", "GetUser", pb.GetUserRequest()).user))
