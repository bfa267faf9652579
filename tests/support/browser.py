"""A real Chromium, and the node served on a real port for it to visit.

``browser`` is one Chromium a session; ``page`` a fresh, empty profile of 1280 x 800; ``live`` serves an app::

    def test_...(live, page, sqlite_node):
        page.goto(live(sqlite_node.app) + "/sign-in")
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.support.shared import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium without a screen; the test is skipped (under CI fails) where there is none."""
    from playwright.sync_api import Error, sync_playwright  # every test session imports this module

    named = os.environ.get("PACKPROOF_TEST_CHROMIUM")
    path = named or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        missing("Chromium is not installed (apt install chromium, or PACKPROOF_TEST_CHROMIUM=path)")
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        except Error as error:
            missing(f"Chromium does not start: {error.message.splitlines()[0]}")
        yield found
        found.close()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page in a profile of its own. The test fails if the page logs an error or breaks its security policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, service_workers="block")
    context.set_default_timeout(60_000)
    found = context.new_page()
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on(
        "console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None
    )
    yield found
    context.close()
    assert faults == []


@pytest.fixture
def live() -> Iterator[Callable[[Flask], str]]:
    """Serves an app on a free port of this machine, in threads; the address."""
    servers = []

    def serve(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()
