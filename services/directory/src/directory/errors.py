"""Every refusal of the directory, one class a reason."""

from __future__ import annotations

from chassis.errors import DomainError, Kind


class UnitNotFound(DomainError):
    """No such unit, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "UNIT_NOT_FOUND"

    def __init__(self, unit: str) -> None:
        super().__init__(f"there is no unit {unit[:200]!r} that you may see", metadata={"unit": unit[:200]})


class UnitCodeTaken(DomainError):
    """Another unit below this parent has the code."""

    kind = Kind.ALREADY_EXISTS
    reason = "UNIT_CODE_TAKEN"

    def __init__(self, path: str) -> None:
        super().__init__(f"there is a unit {path!r} already; choose another code", metadata={"path": path})


class UnitCycle(DomainError):
    """A unit cannot be moved below itself."""

    kind = Kind.PRECONDITION
    reason = "UNIT_CYCLE"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} cannot be moved below itself", metadata={"path": path})


class UnitAmbiguous(DomainError):
    """Several units fit the text."""

    kind = Kind.PRECONDITION
    reason = "UNIT_AMBIGUOUS"

    def __init__(self, text: str, paths: list[str]) -> None:
        super().__init__(
            f"{text[:200]!r} may be {' or '.join(paths)}; use the path",
            metadata={"unit": text[:200], "paths": ",".join(paths)},
        )


class UserNotFound(DomainError):
    """No such user, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "USER_NOT_FOUND"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"there is no user {user_id[:200]!r} that you may see", metadata={"user": user_id[:200]})


class LoginTaken(DomainError):
    """Another user has the login."""

    kind = Kind.ALREADY_EXISTS
    reason = "LOGIN_TAKEN"

    def __init__(self, login: str) -> None:
        super().__init__(f"the login {login!r} is taken; choose another one", metadata={"login": login})


class PositionNotFound(DomainError):
    """No such position."""

    kind = Kind.NOT_FOUND
    reason = "POSITION_NOT_FOUND"

    def __init__(self, position_id: str) -> None:
        super().__init__(f"there is no position {position_id[:200]!r}", metadata={"position": position_id[:200]})


class SignInRefused(DomainError):
    """Login, password or token is wrong or ended; never says which."""

    kind = Kind.UNAUTHENTICATED
    reason = "SIGN_IN_REFUSED"


class SignInThrottled(DomainError):
    """Too many attempts."""

    kind = Kind.EXHAUSTED
    reason = "SIGN_IN_THROTTLED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"too many attempts; try again in {max(1, round(seconds))} seconds", retry_after_seconds=max(1.0, seconds)
        )
