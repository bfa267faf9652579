"""The page at the dock in a real browser: scans faster than a page loads are all counted, over a reload too."""

from tests.support.app import PASSWORD
from tests.support.delivery import ADVICE, case_label, cases_of

PATIENCE_MS = 120_000  # a machine may be busy: nothing here is about how quick it is


def test_no_scan_of_a_burst_is_lost_and_the_count_stays_in_view(sqlite_bay, live, page):
    bay = sqlite_bay
    bay.ship(cases_of(6))
    wanda = bay.clerk("wanda").begin(ADVICE)
    address = live(bay.node.app)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{address}/sign-in")
    page.fill("#name", "wanda")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    page.goto(address + wanda.address)
    assert page.evaluate("document.activeElement.id") == "code"
    for number in range(1, 5):
        page.keyboard.insert_text(case_label(number))
        page.keyboard.press("Enter")
    # Whatever waits by now is kept over a reload.
    page.reload()
    # The browser puts the cursor there when it first paints, which may be after it says that the page is loaded.
    page.wait_for_function("document.activeElement?.id === 'code'")
    page.keyboard.insert_text(case_label(5))
    page.keyboard.press("Enter")
    page.get_by_text("10 of 12, 2 to come").first.wait_for(timeout=PATIENCE_MS)
    assert page.evaluate("document.activeElement.id") == "code"
    assert page.input_value("#code") == ""
    page.keyboard.insert_text("(01)0039")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Could not read it").wait_for(timeout=PATIENCE_MS)
    assert "Could not read it. 10 of 12, 2 to come" in page.inner_text("#live")
    page.set_viewport_size({"width": 390, "height": 700})
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert page.locator("#count").is_visible()
    assert 0 <= page.locator("#count").bounding_box()["y"] < 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_delivery_is_taken_over_and_has_its_thread(sqlite_bay):
    bay = sqlite_bay
    bay.ship(cases_of(1))
    wanda = bay.clerk("wanda").begin(ADVICE)
    assert "1 day left, you have taken it" in wanda.page()
    walt = bay.clerk("walt")
    walt.address = wanda.address
    assert "taken by wanda" in walt.page()
    assert walt.act("take") == 303
    assert "you have taken it" in walt.page()
    assert walt.act("notes", text="The driver waits.") == 303
    assert walt.act("give-up") == 303
    said = wanda.page()
    assert "The driver waits." in said
    assert "Given up: nothing was recorded." in said
    assert bay.trail("receiving.take") == [("walt", wanda.address.rpartition("/")[2], "done")]
    assert bay.stranger().get(wanda.address).status_code in (403, 404)
