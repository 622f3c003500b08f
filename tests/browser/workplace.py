"""The company whose people the browser's tests are: a platform of its own, seeded through REST."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from branchline.platform.folder import DataFolder, read_json
from tests.browser.clock import ZONE_NAME
from tests.e2e.office import Office

COMPANY = {
    "company": "Northlight", "code": "hq", "country_code": "RU", "currency_code": "RUB", "time_zone": ZONE_NAME,
}  # fmt: skip
BRANCHES = {"moscow": ("Moscow", "495"), "tula": ("Tula", "4872")}
# login: name, unit, role
PEOPLE = {
    "director": ("Vera Director", "hq", "head"),
    "steward": ("Stepan Steward", "hq", "steward"),
    "head": ("Pavel Head", "moscow", "head"),
    "natasha": ("Natasha Sazonova", "moscow", "seller"),
    "vlad": ("Vlad Orlov", "moscow", "seller"),
    "mikhail": ("Mikhail Lebedev", "moscow", "seller"),
    "polina": ("Polina Vetrova", "moscow", "seller"),
    "anna": ("Anna Petrova", "moscow", "seller"),
    "pyotr": ("Pyotr Tulin", "tula", "seller"),
}
PASSWORD = "only for tests in the browser"


@dataclass(frozen=True)
class Workplace:
    """The running platform: `url` for browsers, `office` for REST as its administrator; ids by code and by login."""

    url: str
    office: Office
    folder: DataFolder
    units: dict[str, str]
    people: dict[str, str]

    def password_of(self, login: str) -> str:
        """How a person signs in; `admin` has the platform's own password."""
        return str(read_json(self.folder.credentials)["password"]) if login == "admin" else PASSWORD

    def hire(self, login: str, name: str, unit: str, role: str = "seller") -> str:
        """Make a person for one test, who signs in as the others do, and answer the id; `unit` is a code."""
        return self.office.user(name, self.units[unit], role, login, PASSWORD)

    def sign_in(self, page: Page, login: str) -> None:
        """Sign in as people do, on the page."""
        page.goto("/sign-in")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", self.password_of(login))
        page.click("form button[type=submit]")
        page.wait_for_url("**/today")


def seed(office: Office, folder: DataFolder) -> Workplace:
    """Make branches and people, and wait until every service knows them."""
    russian = {"country_code": "RU", "currency_code": "RUB", "time_zone": ZONE_NAME}
    units = {"hq": office.company}
    for code, (name, area_code) in BRANCHES.items():
        units[code] = office.unit(code, name, **russian, area_code=area_code)
    made = Workplace(str(read_json(folder.credentials)["url"]), office, folder, units, {})
    for login, (name, unit, role) in PEOPLE.items():
        made.people[login] = made.hire(login, name, unit, role)
    office.settle()
    return made
