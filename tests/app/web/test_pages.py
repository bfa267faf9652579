"""The pages in a real browser: by keyboard, on a phone, in both colour schemes, and without script."""

from pathlib import Path

import pytest
from markupsafe import Markup

from app.shared.actor import PEOPLE, Role
from app.web import start
from tests.support.app import PASSWORD

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
VERDICTS = ("ok", "cannot_confirm_yet", "details_differ", "genuine_do_not_use", "suspect", "could_not_read")

# (text, ground, the ratio WCAG 2.2 asks for: 1.4.3 for text, 1.4.11 for edges)
PAIRS = [
    ("--ink", "--ground", 4.5),
    ("--ink", "--sheet", 4.5),
    ("--muted", "--ground", 4.5),
    ("--muted", "--sheet", 4.5),
    ("--accent", "--ground", 4.5),
    ("--accent", "--sheet", 4.5),
    ("--accent-strong", "--accent-soft", 4.5),
    ("--on-accent", "--accent", 4.5),
    ("--on-accent", "--accent-strong", 4.5),
    ("--on-hero", "--hero", 4.5),
    ("--error", "--error-soft", 4.5),
    ("--error", "--sheet", 4.5),
    ("--info", "--info-soft", 4.5),
    ("--edge", "--sheet", 3.0),
    ("--focus", "--ground", 3.0),
    ("--focus", "--sheet", 3.0),
    *(
        (f"--v-{name}", f"--v-{name}-soft", 4.5)
        for name in ("ok", "wait", "differ", "stop", "suspect", "unread")
    ),
    *(("--ink", f"--v-{name}-soft", 4.5) for name in ("ok", "wait", "differ", "stop", "suspect", "unread")),
    *(("--muted", f"--v-{name}-soft", 4.5) for name in ("ok", "wait", "differ", "stop", "suspect", "unread")),
]


def luminance(colour):
    channels = (int(colour.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def no_sideways_scroll(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def small_targets(page):
    """Controls lower than 44 px; links inside running text are exempt (WCAG 2.2, 2.5.8)."""
    return page.evaluate(
        """[...document.querySelectorAll("a, button, input:not([type=hidden]), select")]
        .filter(e => !e.closest("p:not(.actions)") && !e.classList.contains("skip"))
        .filter(e => { const r = e.getBoundingClientRect(); return r.height > 0 && (r.height < 44 || r.width < 44) })
        .map(e => e.outerHTML)"""
    )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_somebody_signs_in_and_out_by_keyboard_alone(page, live, sqlite_node, size):
    sqlite_node.person("mia", Role.PHARMACIST)
    page.set_viewport_size(size)
    page.goto(live(sqlite_node.app))
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("mia")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Which pack is in your hand?")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("button:has-text('Sign out')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=You are signed out.")


def test_a_failed_attempt_is_announced_and_the_name_is_kept(page, live, sqlite_node):
    page.goto(live(sqlite_node.app) + "/sign-in")
    page.fill("#name", "mia")
    page.fill("#password", "not the password")
    page.click("main button")
    assert "That did not work" in page.locator("[role=alert]").inner_text()
    assert page.input_value("#name") == "mia"
    assert page.evaluate("document.activeElement.id") == "password"
    assert page.get_attribute("#password", "aria-describedby") == "problem"


def test_pages_work_without_script(browser, live, sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live(sqlite_node.app))
    page.fill("#name", "mia")
    page.fill("#password", PASSWORD)
    page.click("main button")
    assert page.locator("h1").inner_text() == "Which pack is in your hand?"
    context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_roles_start_page_fits_and_its_targets_are_large_enough(page, live, sqlite_node, size):
    page.set_viewport_size(size)
    address = live(sqlite_node.app)
    for role in sorted(PEOPLE):
        sqlite_node.person(f"the.{role.value}.with.a.long.name", role)
        page.context.clear_cookies()
        page.goto(address)
        assert no_sideways_scroll(page)
        assert small_targets(page) == []
        page.fill("#name", f"the.{role.value}.with.a.long.name")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"text={start.WELCOME[role][0]}")
        assert no_sideways_scroll(page), role
        assert small_targets(page) == [], role


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_keep_the_contrast_that_wcag_asks_for(page, live, sqlite_node, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(live(sqlite_node.app) + "/sign-in")
    names = sorted({name for pair in PAIRS for name in pair[:2]})
    read = "names => names.map(n => getComputedStyle(document.documentElement).getPropertyValue(n).trim())"
    colours = dict(zip(names, page.evaluate(read, names), strict=True))
    low = [
        (text, ground, round(contrast(colours[text], colours[ground]), 2))
        for text, ground, least in PAIRS
        if contrast(colours[text], colours[ground]) < least
    ]
    assert low == []


def test_the_start_page_offers_exactly_the_places_that_exist_and_are_open(sqlite_node):
    for role in sorted(PEOPLE):
        visitor = sqlite_node.signed_in_as(role)
        text = visitor.get("/").text
        for part in text.split('<li class="card')[1:]:
            href = part.split('href="')[1].split('"')[0]
            assert visitor.get(href).status_code == 200, (role, href)


def test_each_verdict_has_a_word_a_shape_and_an_edge_of_its_own(sqlite_node):
    with sqlite_node.app.test_request_context():
        macros = sqlite_node.app.jinja_env.get_template("macros.html").module
        shapes = {str(macros.verdict_shape(code)) for code in VERDICTS}
        assert len(shapes) == len(VERDICTS)
        card = str(macros.verdict_card("GENUINE, DO NOT USE", "GENUINE, DO NOT USE", "Set it apart."))
    assert "verdict--genuine_do_not_use" in card
    assert "Set it apart." in card
    text = (Path(sqlite_node.app.static_folder) / "parts.css").read_text()
    for code in VERDICTS:
        assert f".verdict--{code} " in text


def test_what_a_macro_is_given_is_escaped(sqlite_node):
    bad = "<b>bold</b>"
    with sqlite_node.app.test_request_context():
        macros = sqlite_node.app.jinja_env.get_template("macros.html").module
        made = [
            macros.verdict_card(
                "ok", bad, bad, reasons=[bad], facts=[(bad, bad)], others=[("ok", bad, bad)], note=bad
            ),
            macros.timeline(
                [{"when": bad, "title": bad, "where": bad, "detail": bad, "proof": bad, "iso": bad}]
            ),
            macros.table(bad, [bad], [[bad]]),
            macros.field("x", bad, value=bad, hint=bad, problem=bad),
            macros.empty(bad, bad),
        ]
    for text in made:
        assert isinstance(text, Markup)
        assert bad not in text
        assert "&lt;b&gt;" in text
