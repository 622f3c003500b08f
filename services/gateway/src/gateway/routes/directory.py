"""Units, users and their positions."""

from gateway.calls import PAGE, Call

UNITS = (
    Call("POST", "/units", "directory", "CreateUnit", "Create a unit", body="unit", answer="unit", status=201),
    Call("GET", "/units", "directory", "ListUnits", "List units, parents first", query=(*PAGE, "unit=unit_id")),
    Call("GET", "/units/{unit}", "directory", "GetUnit", "Read a unit by id, path, code or name", answer="unit"),
    Call(
        "PATCH",
        "/units/{unit}",
        "directory",
        "UpdateUnit",
        "Change a unit; another parent_id moves its subtree",
        body="unit",
        answer="unit",
        path_fields={"unit": "unit.id"},
    ),
)
USERS = (
    Call(
        "POST",
        "/users",
        "directory",
        "CreateUser",
        "Create a user",
        body="user",
        extra=("password",),
        answer="user",
        status=201,
    ),
    Call("GET", "/users", "directory", "ListUsers", "List users by name", query=(*PAGE, "unit=unit_id")),
    Call("GET", "/users/{user_id}", "directory", "GetUser", "Read a user", answer="user"),
    Call(
        "PATCH",
        "/users/{user_id}",
        "directory",
        "UpdateUser",
        "Change a user",
        body="user",
        extra=("password",),
        answer="user",
        path_fields={"user_id": "user.id"},
    ),
    Call("POST", "/users/match", "directory", "MatchUsers", "Say whom written names mean", body="*"),
    Call(
        "POST",
        "/users/{user_id}/positions",
        "directory",
        "AddPosition",
        "Give a user a position",
        body="position",
        answer="user",
        path_fields={"user_id": "position.user_id"},
        status=201,
    ),
    Call("POST", "/positions/{position_id}/end", "directory", "EndPosition", "End a position", body="*", answer="user"),
)
