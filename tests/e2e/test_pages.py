"""The counter's pages in a real Chromium: a picture dropped, a pack dispensed by keyboard, no script, a phone."""

import base64

import pytest

from app.shared.actor import Role
from ledger.evidence.verify import verify
from tests.app.web.test_pages import DESK, PHONE, no_sideways_scroll, small_targets
from tests.support.app import PASSWORD
from tests.support.counter import HERE, ON_ITS_WAY, code, label
from tests.support.world import package

DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type: "image/png"}));
  for (const kind of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def site(sqlite_counter, live):
    """The counter's node, served, with a pharmacist, somebody in quality, and an inspector."""
    node = sqlite_counter.node
    node.person("mia", Role.PHARMACIST, party_gln="0370000000011")
    node.person("iris", Role.INSPECTOR)
    return live(node.app)


def enter(page, site, name="mia", path="/scan"):
    page.goto(site + "/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".who")
    page.goto(site + path)


def word(page):
    return page.locator("#verdict-word").inner_text()


def picture(data):
    return {"name": "label.png", "mimeType": "image/png", "buffer": data}


def test_a_picture_dropped_anywhere_is_answered_and_read_out(page, site):
    enter(page, site)
    page.evaluate(DROP, ["label.png", base64.b64encode(label(HERE)).decode()])
    page.wait_for_selector("#verdict-word")
    assert word(page) == "OK"
    assert page.locator("#live").inner_text().startswith("OK. Known, in your hands")
    page.set_input_files("#picture", picture(label("NEVER")))
    page.wait_for_selector(".verdict--suspect")
    assert "Potential suspect" in page.locator(".verdict__next").inner_text()


def test_a_file_that_is_no_picture_leaves_the_page_usable(page, site):
    enter(page, site)
    page.set_input_files("#picture", picture(b"a letter"))
    page.wait_for_selector("#picture-problem")
    page.fill("#code", code(HERE))
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict--ok")


def test_a_pack_is_checked_and_dispensed_by_keyboard_alone(page, site):
    enter(page, site)
    assert page.evaluate("document.activeElement.id") == "code"
    page.keyboard.type(code(HERE))
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict--ok")
    for _ in range(6):
        page.keyboard.press("Tab")
        if "Dispense this pack" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/dispense")
    assert word(page) == "Dispensed"
    # The cursor waits for the next pack: the same one again is refused.
    page.keyboard.type(code(HERE))
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Not dispensed.")
    assert word(page) == "GENUINE, DO NOT USE"


def test_what_a_handheld_types_lands_in_the_field_wherever_the_cursor_is(page, site):
    enter(page, site)
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(code(HERE))
    assert page.input_value("#code") == code(HERE)


def test_checking_and_dispensing_work_without_script(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, site)
    page.set_input_files("#picture", picture(label(HERE)))
    page.click("main button")
    assert word(page) == "OK"
    page.click("text=Dispense this pack")
    assert word(page) == "Dispensed"
    page.click("text=Where it has been")
    assert page.locator(".timeline li").count() == 4
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits_and_every_target_is_large_enough(page, site, sqlite_counter, size, scheme):
    case = sqlite_counter.shortage()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    enter(page, site)
    scans = (code(HERE), code(HERE, lot="OTHER"), code("NEVER"), code(ON_ITS_WAY), "x" * 300)
    paths = ["/scan", "/dispense", "/exceptions", f"/exceptions/{case}", "/package", "/nowhere"]
    paths += [f"/package?epc={package(8)}", "/package?epc=" + "x" * 300, "/scan?code=(00)103999990000000014"]
    for path in paths + [f"/scan?code={scan}" for scan in scans]:
        page.goto(site + path)
        assert no_sideways_scroll(page), path
        assert small_targets(page) == [], path
    page.context.clear_cookies()
    enter(page, site, "iris", f"/inspector?q={package(8)}")
    assert no_sideways_scroll(page)
    assert small_targets(page) == []


def test_on_a_phone_the_verdict_and_its_next_step_are_in_view_at_once(page, site):
    page.set_viewport_size(PHONE)
    enter(page, site, path=f"/scan?code={code('NEVER')}")
    box = page.locator(".verdict__next").bounding_box()
    bar = page.locator(".places").bounding_box()
    assert page.evaluate("scrollY") == 0
    assert box["y"] + box["height"] <= bar["y"]


def test_the_inspectors_download_verifies(page, site):
    enter(page, site, "iris", f"/inspector?q={package(HERE)}")
    with page.expect_download() as started:
        page.click("text=Take the evidence")
    assert started.value.suggested_filename == "packproof-evidence.json"
    report = verify(started.value.path().read_bytes())
    assert report.subject == package(HERE)
