"""One browser and one seeded platform for all tests in the browser; windows are a test's own and watched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState, expect, sync_playwright

from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder
from branchline.platform.launch import start_detached
from branchline.rest import connect
from branchline.testing import find_chromium
from tests.browser.windows import PATIENCE, Windows
from tests.browser.workplace import COMPANY, Workplace, seed
from tests.e2e.office import Office

STOP_SECONDS = 30.0


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium. Where there is none the tests are skipped, in CI they fail."""
    program = find_chromium()
    if program is None and (os.environ.get("CI") == "true" or os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1"):
        pytest.fail("there is no Chromium on this machine; install the package chromium")
    if program is None:
        pytest.skip("there is no Chromium on this machine")  # skip-ok: a system package; CI requires it
    expect.set_options(timeout=PATIENCE)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has no sandbox to go into
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def workplace() -> Iterator[Workplace]:
    """The seeded platform. Tests make their own customers and deals in it; who stops a service starts it again."""
    path = Path(tempfile.mkdtemp(prefix="branchline-browser-"))
    folder = DataFolder(path)
    try:
        start_detached(folder, 0, "", COMPANY, lambda _: None)
        with connect(folder) as rest:
            yield seed(Office(rest), folder)
    finally:
        stop_holder(folder, STOP_SECONDS)
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def signed_in() -> dict[str, StorageState]:
    """The cookies of everybody who has signed in, so that each does it once."""
    return {}


@pytest.fixture
def page_of(browser: Browser, workplace: Workplace, signed_in: dict[str, StorageState]) -> Iterator[Windows]:
    """Opens a window of a person: `page_of("natasha", lang="ru", dark=True, width=390)`."""
    windows = Windows(browser, workplace.url, workplace.sign_in, signed_in)
    yield windows
    windows.close()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test whose pages had troubles has failed, and one that fails for another reason shows them too."""
    opened = [one for one in pyfuncitem.funcargs.values() if isinstance(one, Windows)]
    try:
        result = yield
    finally:
        troubles = [trouble for windows in opened for trouble in windows.troubles()]
        pyfuncitem.add_report_section("call", "browser", "\n".join(troubles))
    for windows in opened:
        windows.check()
    return result
