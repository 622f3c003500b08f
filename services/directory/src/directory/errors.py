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


class UnitClosed(DomainError):
    """The unit no longer exists on that day."""

    kind = Kind.PRECONDITION
    reason = "UNIT_CLOSED"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} is closed", metadata={"path": path})


class UnitNotEmpty(DomainError):
    """People work in the unit or open units lie below it."""

    kind = Kind.PRECONDITION
    reason = "UNIT_NOT_EMPTY"

    def __init__(self, path: str, positions: int, units: int) -> None:
        super().__init__(
            f"{path!r} has {positions} positions and {units} open units below; merge it, or move these first",
            metadata={"path": path, "positions": str(positions), "units": str(units)},
        )


class ReorganizationNotFound(DomainError):
    """No such reorganization, or of a unit the caller does not administer."""

    kind = Kind.NOT_FOUND
    reason = "REORGANIZATION_NOT_FOUND"

    def __init__(self, reorganization_id: str) -> None:
        text = reorganization_id[:60]
        super().__init__(f"there is no reorganization {text!r}", metadata={"reorganization": text})


class ReorganizationDecided(DomainError):
    """It is done, refused or taken back already."""

    kind = Kind.PRECONDITION
    reason = "REORGANIZATION_DECIDED"

    def __init__(self, state: str) -> None:
        super().__init__(f"the reorganization is {state} already", metadata={"state": state})


class SeatNotFound(DomainError):
    """No such seat, or in a unit the caller does not see."""

    kind = Kind.NOT_FOUND
    reason = "SEAT_NOT_FOUND"

    def __init__(self, seat_id: str) -> None:
        super().__init__(f"there is no seat {seat_id[:60]!r}", metadata={"seat": seat_id[:60]})


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


class RoleNotFound(DomainError):
    """No such role."""

    kind = Kind.NOT_FOUND
    reason = "ROLE_NOT_FOUND"

    def __init__(self, code: str) -> None:
        super().__init__(f"there is no role {code[:60]!r}", metadata={"role": code[:60]})


class RoleFixed(DomainError):
    """The role is one that every installation needs as it is."""

    kind = Kind.PRECONDITION
    reason = "ROLE_FIXED"

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"the built-in role {code!r} cannot be {what}", metadata={"role": code})


class RoleHeld(DomainError):
    """Positions or restrictions name the role."""

    kind = Kind.PRECONDITION
    reason = "ROLE_HELD"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"positions or restrictions name the role {code!r}, past ones included; change what it allows instead",
            metadata={"role": code},
        )


class FieldGroupNotFound(DomainError):
    """No such group of fields."""

    kind = Kind.NOT_FOUND
    reason = "FIELD_GROUP_NOT_FOUND"

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no group of fields {key[:90]!r}", metadata={"field_group": key[:90]})


class FieldGroupHeld(DomainError):
    """Restrictions name the group."""

    kind = Kind.PRECONDITION
    reason = "FIELD_GROUP_HELD"

    def __init__(self, key: str) -> None:
        super().__init__(f"restrictions name the group {key!r}; take them back first", metadata={"field_group": key})


class RestrictionNotFound(DomainError):
    """No such restriction, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "RESTRICTION_NOT_FOUND"

    def __init__(self, restriction_id: str) -> None:
        super().__init__(
            f"there is no restriction {restriction_id[:60]!r} that you may see",
            metadata={"restriction": restriction_id[:60]},
        )


class SignInRefused(DomainError):
    """Login, password or token is wrong or ended; never says which."""

    kind = Kind.UNAUTHENTICATED
    reason = "SIGN_IN_REFUSED"


class SessionNotFound(DomainError):
    """The user has no such session."""

    kind = Kind.NOT_FOUND
    reason = "SESSION_NOT_FOUND"

    def __init__(self, session_id: str) -> None:
        super().__init__("there is no such session, or it has ended", metadata={"session": session_id[:200]})


class SignInThrottled(DomainError):
    """Too many attempts."""

    kind = Kind.EXHAUSTED
    reason = "SIGN_IN_THROTTLED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"too many attempts; try again in {max(1, round(seconds))} seconds", retry_after_seconds=max(1.0, seconds)
        )


class ApiKeyNotFound(DomainError):
    """No such key that has not ended."""

    kind = Kind.NOT_FOUND
    reason = "API_KEY_NOT_FOUND"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key {key_id[:60]!r}", metadata={"api_key": key_id[:60]})


class GroupNotFound(DomainError):
    """No such group of people."""

    kind = Kind.NOT_FOUND
    reason = "GROUP_NOT_FOUND"

    def __init__(self, group_id: str) -> None:
        super().__init__(f"there is no group {group_id[:60]!r}", metadata={"group": group_id[:60]})


class PasskeyNeeded(DomainError):
    """Name and password are right, and the role asks for a passkey."""

    kind = Kind.UNAUTHENTICATED
    reason = "PASSKEY_NEEDED"


class PasskeyNotFound(DomainError):
    """No such passkey of this user."""

    kind = Kind.NOT_FOUND
    reason = "PASSKEY_NOT_FOUND"

    def __init__(self, passkey_id: str) -> None:
        super().__init__(f"there is no passkey {passkey_id[:60]!r}", metadata={"passkey": passkey_id[:60]})


class ProviderAway(DomainError):
    """The OpenID Connect provider does not answer as one, or none is configured."""

    kind = Kind.UNAVAILABLE
    reason = "PROVIDER_AWAY"


class SecondFactorNeeded(DomainError):
    """Name and password are right, the code is missing."""

    kind = Kind.UNAUTHENTICATED
    reason = "SECOND_FACTOR_NEEDED"


class SecondFactorOn(DomainError):
    """The account has a second factor already."""

    kind = Kind.PRECONDITION
    reason = "SECOND_FACTOR_ON"
