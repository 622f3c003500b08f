"""Shows that proto/ keeps the rules of contracts, and that each rule fails on a proto that breaks it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.check_breaking import list_breaks
from tools.check_proto import check_image, lint_with_buf
from tools.generate_proto import check_generated
from tools.protos import PROTO_DIR, compile_image

API = """
// Shops.
syntax = "proto3";
package crm.shop.v1;

// ShopService keeps shops.
service ShopService {
  // Makes a shop. Errors: NAME_TAKEN.
  rpc CreateShop(CreateShopRequest) returns (CreateShopResponse);
  // Changes a shop. Errors: none.
  rpc UpdateShop(UpdateShopRequest) returns (UpdateShopResponse);
  // Lists shops. Errors: none.
  rpc ListShops(ListShopsRequest) returns (ListShopsResponse);
}
// Request of CreateShop.
message CreateShopRequest {
  // Idempotency key.
  string request_id = 1;
  // Name.
  string name = 2;
}
// Answer of CreateShop.
message CreateShopResponse {}
// Request of UpdateShop.
message UpdateShopRequest {
  // Version.
  string etag = 1;
  // Fields.
  string update_mask = 2;
}
// Answer of UpdateShop.
message UpdateShopResponse {}
// Request of ListShops.
message ListShopsRequest {
  // At most.
  int32 page_size = 1;
  // From the answer before.
  string page_token = 2;
}
// Answer of ListShops.
message ListShopsResponse {
  // Empty on the last page.
  string next_page_token = 1;
}
// ErrorReason names refusals.
enum ErrorReason {
  // Not stated.
  ERROR_REASON_UNSPECIFIED = 0;
  // The name is taken.
  ERROR_REASON_NAME_TAKEN = 1;
}
"""

EVENTS = """
// Facts of shops.
syntax = "proto3";
package crm.shop.events.v1;

// ShopState is a shop.
message ShopState {
  // Id.
  string id = 1;
}
// ShopOpened says that a shop opened.
message ShopOpened {
  // The shop.
  ShopState shop = 1;
}
"""

Compile = Callable[..., FileDescriptorSet]


@pytest.fixture
def compile_shop(tmp_path: Path) -> Compile:
    """Compile the two protos above with one text replaced in them."""

    def compile_with(old: str = "", new: str = "") -> FileDescriptorSet:
        assert old in API + EVENTS
        for folder, text in (("crm/shop/v1", API), ("crm/shop/events/v1", EVENTS)):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "shop.proto").write_text(text.replace(old, new) if old else text, encoding="utf-8")
        return compile_image(tmp_path)

    return compile_with


def test_the_contracts_keep_every_rule() -> None:
    image = compile_image()

    assert check_image(image) == []
    assert lint_with_buf(image) == []


def test_the_generated_code_is_what_the_protos_give() -> None:
    assert check_generated() == []


def test_generated_code_that_was_edited_is_seen(tmp_path: Path) -> None:
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "__init__.py").write_text("edited = True\n", encoding="utf-8")
    (tmp_path / "crm" / "left_over_pb2.py").touch()

    differences = check_generated(PROTO_DIR, tmp_path)

    assert "differs __init__.py" in differences
    assert "left over left_over_pb2.py" in differences
    assert "missing contacts/v1/contacts_pb2.py" in differences


def test_a_proto_that_keeps_the_rules_passes(compile_shop: Compile) -> None:
    image = compile_shop()

    assert check_image(image) == []
    assert lint_with_buf(image) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("// ShopState is a shop.\n", "", "ShopState has no comment"),
        ("  // Name.\n", "", "CreateShopRequest.name has no comment"),
        ("// ErrorReason names refusals.\n", "", "ErrorReason has no comment"),
        ("  // The name is taken.\n", "", "ErrorReason.ERROR_REASON_NAME_TAKEN has no comment"),
        ("// ShopService keeps shops.\n", "", "ShopService has no comment"),
        ("  // Lists shops. Errors: none.\n", "", "ShopService.ListShops has no comment"),
        ("Makes a shop. Errors: NAME_TAKEN.", "Makes a shop.", 'ShopService.CreateShop has no "Errors: ..."'),
        ("Errors: NAME_TAKEN.", "Errors: NAME_LOST.", "names NAME_LOST, which ErrorReason does not have"),
        ("request_id = 1", "request_key = 1", "CreateShopRequest has no request_id"),
        ("string update_mask = 2", "string mask = 2", "UpdateShopRequest has no update_mask"),
        ("string etag = 1", "string version = 1", "UpdateShopRequest has no etag"),
        ("page_size = 1", "size = 1", "ListShopsRequest has no page_size"),
        (" page_token = 2", " token = 2", "ListShopsRequest has no page_token"),
        ("next_page_token = 1", "next = 1", "ListShopsResponse has no next_page_token"),
        ("string request_id", "int64 request_id", "CreateShopRequest.request_id is not a string"),
        ("string name = 2", "string open_time = 2", "CreateShopRequest.open_time is not a google.protobuf.Timestamp"),
        ("package crm.shop.v1;", "package crm.shops.v1;", "package crm.shops.v1 does not lie in its folder"),
        ("package crm.shop.v1;", "package crm.shop;", "package crm.shop is not crm.<service>.v<n>"),
        ("message ShopOpened", "message OpenShop", "OpenShop is not in the past tense"),
    ],
)
def test_a_broken_rule_is_named(old: str, new: str, problem: str, compile_shop: Compile) -> None:
    problems = check_image(compile_shop(old, new))

    assert [line for line in problems if problem in line], problems


def test_a_service_among_events_is_named(compile_shop: Compile) -> None:
    service = "// S.\nservice ShopFeed {\n // Opens. Errors: none.\n rpc Open(ShopOpened) returns (ShopState);\n}\n"

    problems = check_image(compile_shop("// ShopState is a shop.\n", service + "// ShopState is a shop.\n"))

    assert "crm/shop/events/v1/shop.proto: ShopFeed is a service among events" in problems


def test_a_break_of_the_standard_rules_is_named_by_buf(compile_shop: Compile) -> None:
    problems = lint_with_buf(compile_shop("string name = 2", "string Name = 2"))

    assert any("should be lower_snake_case" in problem for problem in problems), problems


def test_an_added_field_breaks_nobody(compile_shop: Compile) -> None:
    before = compile_shop()

    after = compile_shop("  string name = 2;", "  string name = 2;\n  // Town.\n  string city = 3;")

    assert list_breaks(before, after) == []


@pytest.mark.parametrize(
    ("old", "new", "what_breaks"),
    [
        pytest.param("  string name = 2;", "", 'Previously present field "2"', id="field removed"),
        pytest.param("string name = 2;", "string name = 3;", 'Previously present field "2"', id="field renumbered"),
        pytest.param("string name = 2;", "int64 name = 2;", "changed type", id="field retyped"),
        pytest.param("string name = 2;", "string title = 2;", "changed name", id="field renamed"),
        pytest.param(
            "  ERROR_REASON_NAME_TAKEN = 1;", "", 'Previously present enum value "1"', id="enum value removed"
        ),
        pytest.param(
            "  rpc ListShops(ListShopsRequest) returns (ListShopsResponse);",
            "",
            'Previously present RPC "ListShops"',
            id="RPC removed",
        ),
    ],
)
def test_a_breaking_change_is_named(old: str, new: str, what_breaks: str, compile_shop: Compile) -> None:
    before = compile_shop()

    breaks = list_breaks(before, compile_shop(old, new))

    assert any(what_breaks in line for line in breaks), breaks
