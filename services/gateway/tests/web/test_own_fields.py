"""A company's own fields in the browser: made by an administrator, filled in on cards and with new customers."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

FIELD, ATTRIBUTE = re.compile(r"<(?:input|textarea) ([^>]*)>([^<]*)"), re.compile(r'([\w-]+)="([^"]*)"')


def a_field(admin: Any, label: str, **more: Any) -> dict[str, Any]:
    """A field made by REST, of persons and one line of text where nothing else is said."""
    body = {"record_type": "person", "type": "text", "label": f"{label} {uuid4().hex[:6]}", **more}
    made: dict[str, Any] = admin.post("/customer_fields", body)["customer_field"]
    return made


def a_card(admin: Any, unit: dict[str, Any], **attributes: str) -> dict[str, Any]:
    """A person of a unit with further facts."""
    body = {"display_name": f"Person {uuid4().hex[:8]}", "unit_id": unit["id"], "attributes": attributes}
    card: dict[str, Any] = admin.post("/persons", body)["person"]
    return card


def change(admin: Any, path: str, body: dict[str, Any]) -> None:
    """Somebody else's change of a record as it is now."""
    etag = admin.ask("GET", path).headers["etag"]
    admin.patch(path, body, headers={"If-Match": etag})


def fields_of(page: str, form: str) -> dict[str, str]:
    """What a form of a page would post, without what is chosen from lists."""
    (found,) = re.findall(rf'<form id="{form}".*?</form>', page, re.DOTALL)
    fields = [(dict(ATTRIBUTE.findall(one)), text) for one, text in FIELD.findall(found)]
    return {one["name"]: one.get("value", text.strip()) for one, text in fields if one.get("type") != "checkbox"}


def words_of(page: str) -> str:
    """A page without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def row_of(page: str, label: str) -> str:
    """The row of a field in Admin."""
    (row,) = [words_of(one) for one in re.findall(r"<tr data-row.*?</tr>", page, re.DOTALL) if label in one]
    return row


def test_a_field_is_made_changed_and_retired_in_admin(an_administrator: Any, admin: Any) -> None:
    label = f"Grade {uuid4().hex[:6]}"
    form = fields_of(an_administrator.part("/admin/own-fields/new").text, "new-own-field")
    asked = {**form, "record_type": "organization", "type": "7", "label": label, "choices": "gold\r\nsilver"}
    refused = an_administrator.post("/admin/own-fields", {**asked, "choices": ""}, "form#new-own-field")
    assert (refused.status_code, "name the allowed values" in refused.text) == (400, True)
    assert an_administrator.post("/admin/own-fields", asked, "form#new-own-field").status_code == 204
    [made] = [one for one in admin.get("/customer_fields")["customer_fields"] if one["label"] == label]
    assert (made["choices"], made["type"], made["required"]) == (["gold", "silver"], "choice", False)
    admin.post("/organizations", {"display_name": f"Firm {label}", "attributes": {label: "gold"}})
    row = row_of(an_administrator.get("/admin/own-fields").text, label)
    assert [one for one in ("one choice of a list", "the whole company", " 1 of ") if one not in row] == []

    path = f"/admin/own-fields/{made['id']}"
    edit = fields_of(an_administrator.part(path).text, "edit-own-field")
    assert (edit["choices"], edit["before.label"]) == ("gold\nsilver", label)
    changed = {**edit, "label": f"{label} new", "labels": "ru: Класс", "required": "", "unit_id": "", "retired": ""}
    assert an_administrator.post(path, changed, "form#edit-own-field").status_code == 204
    now = admin.get("/customer_fields")["customer_fields"]
    [again] = [one for one in now if one["id"] == made["id"]]
    assert (again["label"], again["labels"], again["key"]) == (f"{label} new", {"ru": "Класс"}, label)

    edit = fields_of(an_administrator.part(path).text, "edit-own-field")
    retired = {**edit, "required": "", "unit_id": "", "retired": "yes"}
    assert an_administrator.post(path, retired, "form#edit-own-field").status_code == 204
    assert made["id"] not in [one["id"] for one in admin.get("/customer_fields")["customer_fields"]]
    assert "retired" in row_of(an_administrator.get("/admin/own-fields").text, label)


def test_two_administrators_who_change_one_field_choose(an_administrator: Any, admin: Any) -> None:
    field = a_field(admin, "Shelf", section="Store")
    path = f"/admin/own-fields/{field['id']}"
    form = {**fields_of(an_administrator.part(path).text, "edit-own-field"), "required": "", "unit_id": ""}
    house = {"section": "House", "position": 7}
    admin.patch(f"/customer_fields/{field['id']}", house, headers={"If-Match": f'"{field["etag"]}"'})
    answer = an_administrator.post(path, {**form, "section": "Yard", "retired": ""}, "form#edit-own-field")
    assert (answer.status_code, answer.headers["hx-retarget"]) == (409, "#edit-own-field-box")
    assert [word for word in ("Store", "House", "Yard") if word not in words_of(answer.text)] == []
    chosen = {**fields_of(answer.text, "conflict-section"), "section": "Yard"}
    assert an_administrator.post(path, chosen, "form#conflict-section").status_code == 204
    [now] = [one for one in admin.get("/customer_fields")["customer_fields"] if one["id"] == field["id"]]
    assert (now["section"], now["position"]) == ("Yard", 7)


def test_values_that_cards_had_before_are_told_of(an_administrator: Any, admin: Any, a_branch: Any) -> None:
    key = f"Locker {uuid4().hex[:6]}"
    a_card(admin, a_branch(), **{key: "12"})
    form = fields_of(an_administrator.part("/admin/own-fields/new").text, "new-own-field")
    asked = {**form, "record_type": "person", "type": "3", "label": "Locker", "key": key}
    answer = an_administrator.post("/admin/own-fields", asked, "form#new-own-field")
    assert answer.headers["hx-redirect"] == "/admin/own-fields?adopted=1"
    assert "1 card had a value" in an_administrator.get("/admin/own-fields?adopted=1").text


def test_own_fields_are_for_administrators(a_branch: Any, a_visitor: Any) -> None:
    seller = a_visitor(a_branch())
    assert seller.get("/admin/own-fields").status_code == 403
    assert seller.post("/admin/own-fields", {"label": "X", "record_type": "person", "type": "1"}).status_code == 403


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("number", "1234.5", "1,234.5"),
        ("money", "1200.50 EUR", "€1,200.50"),
        ("date", "2024-05-20", "May 20, 2024"),
        ("yes_no", "yes", "yes"),
        ("choices", "red; blue", "red and blue"),
        ("text", "<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
    ],
)
def test_a_card_shows_a_value_as_people_read_it(
    kind: str, value: str, shown: str, admin: Any, a_branch: Any, a_visitor: Any
) -> None:
    unit = a_branch()
    more = {"choices": ["red", "green", "blue"]} if kind == "choices" else {}
    field = a_field(admin, kind, type=kind, section="Further", unit_id=unit["id"], **more)
    card = a_card(admin, unit, **{field["key"]: value})
    page = a_visitor(unit).get(f"/customers/{card['id']}").text
    (fact,) = re.findall(rf'id="fact-field-{field["id"]}">.*?</div>', page, re.DOTALL)
    assert f"<bdi>{shown}</bdi>" in fact
    assert "Further" in page


def test_a_link_leads_out_and_a_colleague_is_named(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    seller = a_visitor(unit, name="Olga Keeper")
    site = a_field(admin, "Site", type="link", unit_id=unit["id"])
    keeper = a_field(admin, "Keeper", type="user", unit_id=unit["id"])
    card = a_card(admin, unit, **{site["key"]: "https://example.org/a?b=1", keeper["key"]: seller.user["id"]})
    page = seller.get(f"/customers/{card['id']}").text
    assert '<a href="https://example.org/a?b=1" target="_blank" rel="noopener noreferrer">' in page
    assert "Olga Keeper" in re.findall(rf'id="fact-field-{keeper["id"]}">.*?</div>', page, re.DOTALL)[0]


def test_a_value_is_changed_where_it_stands_and_held_to_the_rules(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    field = a_field(admin, "Height", type="number", unit_id=unit["id"])
    card = a_card(admin, unit, note="stays")
    seller = a_visitor(unit)
    path, name = f"/customers/{card['id']}/facts/field-{field['id']}", f"own.{field['id']}"
    form = fields_of(seller.part(path).text, f"form-field-{field['id']}")
    refused = seller.post(path, {**form, name: "tall"}, f"form#form-field-{field['id']}")
    assert refused.status_code == 400
    assert "is not a number; write it as -12.5" in words_of(refused.text).replace("&#39;", "'")
    saved = seller.post(path, {**form, name: "180,5"}, f"form#form-field-{field['id']}")
    assert (saved.status_code, "180.5" in saved.text) == (200, True)
    assert admin.get(f"/persons/{card['id']}")["attributes"] == {"note": "stays", field["key"]: "180.5"}
    form = fields_of(seller.part(path).text, f"form-field-{field['id']}")
    assert seller.post(path, {**form, name: ""}, f"form#form-field-{field['id']}").status_code == 200
    assert admin.get(f"/persons/{card['id']}")["attributes"] == {"note": "stays"}


def test_two_who_change_one_value_choose_and_two_values_are_both_kept(
    admin: Any, a_branch: Any, a_visitor: Any
) -> None:
    unit = a_branch()
    field, other = (a_field(admin, one, type="number", unit_id=unit["id"]) for one in ("Height", "Weight"))
    card = a_card(admin, unit, **{field["key"]: "170"})
    seller = a_visitor(unit)
    path, name = f"/customers/{card['id']}/facts/field-{field['id']}", f"own.{field['id']}"
    source = f"form#form-field-{field['id']}"
    form = fields_of(seller.part(path).text, source.removeprefix("form#"))
    change(admin, f"/persons/{card['id']}", {"attributes": {field["key"]: "170", other["key"]: "70"}})
    assert seller.post(path, {**form, name: "175"}, source).status_code == 200  # nobody else changed the height
    change(admin, f"/persons/{card['id']}", {"attributes": {field["key"]: "180", other["key"]: "70"}})
    clash = seller.post(path, {**form, f"before.{name}": "175", name: "190"}, source)
    assert clash.status_code == 409
    assert [one for one in ("175", "180", "190") if one not in words_of(clash.text)] == []
    (conflict,) = re.findall(r'<form id="(conflict-[^"]+)"', clash.text)
    chosen = {**fields_of(clash.text, conflict), name: "190"}
    assert seller.post(path, chosen, f"form#{conflict}").status_code == 200
    assert admin.get(f"/persons/{card['id']}")["attributes"] == {field["key"]: "190", other["key"]: "70"}


def test_choices_are_ticked_and_all_may_be_taken_away(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    field = a_field(admin, "Likes", type="choices", choices=["tea", "cake", "jazz"], unit_id=unit["id"])
    card = a_card(admin, unit, **{field["key"]: "tea"})
    seller = a_visitor(unit)
    path, name = f"/customers/{card['id']}/facts/field-{field['id']}", f"own.{field['id']}"
    page = seller.part(path).text
    assert re.findall(r'value="(\w+)" checked', page) == ["tea"]
    form = fields_of(page, f"form-field-{field['id']}")
    assert seller.post(path, {**form, name: ["", "jazz", "tea"]}).status_code == 200
    assert admin.get(f"/persons/{card['id']}")["attributes"] == {field["key"]: "tea; jazz"}
    form = fields_of(seller.part(path).text, f"form-field-{field['id']}")
    assert seller.post(path, {**form, name: [""]}).status_code == 200
    assert admin.get(f"/persons/{card['id']}")["attributes"] == {}


def test_fields_of_one_unit_stand_on_its_cards_only(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    here, there = a_branch(), a_branch()
    field = a_field(admin, "Only here", unit_id=here["id"])
    own = a_visitor(here).get(f"/customers/{a_card(admin, here)['id']}").text
    assert field["label"] in own
    foreign = a_visitor(there)
    assert field["label"] not in foreign.get(f"/customers/{a_card(admin, there)['id']}").text
    assert field["label"] not in foreign.part("/quick/person").text
    hidden = a_card(admin, here, **{field["key"]: "secret"})
    path = f"/customers/{hidden['id']}/facts/field-{field['id']}"
    assert foreign.part(path).status_code == 404
    assert foreign.post(path, {f"own.{field['id']}": "x", "etag": hidden["etag"]}).status_code == 404


def test_a_new_customer_comes_with_the_fields_of_the_unit(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    needed = a_field(admin, "Source", type="choice", choices=["fair", "web"], required=True, unit_id=unit["id"])
    usual = a_field(admin, "Newsletter", type="yes_no", default_value="no", unit_id=unit["id"])
    seller = a_visitor(unit)
    page = seller.part("/quick/person").text
    assert [one for one in (needed["label"], usual["label"], "More fields") if one not in page] == []
    assert re.search(rf'name="own.{needed["id"]}" required', page)
    name = f"Rita {uuid4().hex[:8]}"
    form = {**fields_of(page, "quick-person"), "display_name": name, f"own.{usual['id']}": "yes"}
    refused = seller.post("/quick/person", form, "form#quick-person")
    assert (refused.status_code, f"fill in {needed['label']}" in refused.text) == (400, True)
    made = seller.post("/quick/person", {**form, f"own.{needed['id']}": "fair"}, "form#quick-person")
    assert made.status_code == 204
    card = admin.get(f"/persons/{made.headers['hx-redirect'].rpartition('/')[2]}")
    assert card["attributes"] == {needed["key"]: "fair", usual["key"]: "yes"}


def test_an_organization_comes_with_its_fields_too(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    field = a_field(admin, "Staff", type="number", record_type="organization", unit_id=unit["id"])
    seller = a_visitor(unit)
    form = fields_of(seller.part("/quick/organization").text, "quick-organization")
    asked = {**form, "display_name": f"Firm {uuid4().hex[:8]}", f"own.{field['id']}": "1 200"}
    made = seller.post("/quick/organization", asked, "form#quick-organization")
    card = admin.get(f"/organizations/{made.headers['hx-redirect'].rpartition('/')[2]}")
    assert card["attributes"] == {field["key"]: "1200"}
    assert "1,200" in seller.get(f"/organizations/{card['id']}").text


def test_a_list_shows_own_fields_as_columns_and_a_view_keeps_them(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    field = a_field(admin, "Height", type="number", unit_id=unit["id"])
    a_card(admin, unit, **{field["key"]: "1180.5"})
    seller, column = a_visitor(unit), f"own.{field['id']}"
    page = seller.get("/customers").text
    assert (f'value="{column}"' in page, "1,180.5" in page) == (True, False)  # offered, and not shown at first
    assert seller.post("/lists/customers/columns", {"column": [column, "owner"]}).status_code == 204
    page = seller.get("/customers").text
    headings = [words_of(one) for one in re.findall(r'<th scope="col">.*?</th>', page, re.DOTALL)]
    assert headings[1:] == [field["label"], "Owner"]
    assert "<td><bdi>1,180.5</bdi></td>" in page
    query = f"view=unit&own={field['key']}>=1000&cols=name,{column}"
    saved = seller.post("/lists/customers/views", {"change": "save", "view_name": "Tall", "query": query})
    view = seller.get(saved.headers["hx-redirect"]).text
    assert f"{field['label']} ≥ 1,000" in words_of(view)
    assert "<td><bdi>1,180.5</bdi></td>" in view


def test_a_list_is_narrowed_by_an_own_field_and_widened_again(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    field = a_field(admin, "Height", type="number", unit_id=unit["id"])
    tall, small, unknown = (
        a_card(admin, unit, **({field["key"]: one} if one else {}))["display_name"] for one in ("190", "150", "")
    )
    seller = a_visitor(unit)

    def shown(path: str) -> set[str]:
        page = seller.get(path).text
        return {one for one in (tall, small, unknown) if one in page}

    asked = {"view": "unit", "own_field": field["id"], "own_sign": "least", "own_value": "180"}
    narrowed = seller.get("/customers", params=asked)
    assert narrowed.status_code == 303
    path = narrowed.headers["location"]
    assert (path.startswith("/customers?view=unit&own="), shown(path)) == (True, {tall})
    assert seller.get(path.replace("/customers?", "/customers/count?")).text.strip().startswith("1")
    assert f"{field['label']} ≥ 180" in words_of(seller.get(path).text)
    path = seller.get(path, params={**asked, "own": f"{field['key']}>=100", "own_sign": "utmost"}).headers["location"]
    assert shown(path) == {small}
    assert shown(f"/customers?own={field['key']}=") == {unknown}
    assert shown(f"/customers?own={field['key']}=*") == {tall, small}
    grouped = words_of(seller.get(f"/customers?own={field['key']}=*&group=owner").text)
    assert "2" in grouped
    refused = seller.get(f"/customers?own={field['key']}>=tall")
    assert (refused.status_code, "is not a number" in refused.text) == (400, True)


def test_another_branch_finds_nobody_by_an_own_field(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    here, there = a_branch(), a_branch()
    field = a_field(admin, "Hobby")
    card = a_card(admin, here, **{field["key"]: "sailing"})
    foreign = a_visitor(there)
    for query in (f"own={field['key']}=sailing", f"own={field['key']}=*", f"own={field['key']}=*&group=owner"):
        assert card["display_name"] not in foreign.get(f"/customers?view=all&{query}").text
        assert foreign.get(f"/customers/count?view=all&{query}").text.strip().startswith(("0", "Nobody", "no"))


def test_the_number_of_filled_cards_leads_to_them(an_administrator: Any, admin: Any, a_branch: Any) -> None:
    field = a_field(admin, "Badge, large")
    card = a_card(admin, a_branch(), **{field["key"]: "blue"})
    page = an_administrator.get("/admin/own-fields").text
    (row,) = [one for one in re.findall(r"<tr data-row.*?</tr>", page, re.DOTALL) if field["key"] in one]
    (path,) = re.findall(r'<a href="(/customers\?[^"]+)">1 of', row)
    assert card["display_name"] in an_administrator.get(path.replace("&amp;", "&")).text
