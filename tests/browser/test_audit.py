"""The audit: who, when, before and after; a chain that was broken is said to be; the file holds the same (check 16)."""

import csv
import io
import re

import pytest
from browser_kit import PUMP_2, wait
from test_commands import write

pytestmark = pytest.mark.xdist_group("browser")
FLOW = f"{PUMP_2}/flow"


def cells(row):
    return [cell.strip() for cell in row.locator("td").all_inner_texts()]


def test_what_somebody_changed_stands_there_with_before_after_and_why_and_in_the_file(look, whole):
    page = look.go("audit")
    look.wait_live()
    look.log_in(whole.operator)
    made = write(page, look.base, "overrides", {"path": FLOW, "value": 123.5, "reason": "meter is being cleaned", "seconds": 600})
    assert made.status in (200, 201), made.text()
    row = page.locator("tr[data-kind=OverrideSet]").first
    row.get_by_text("meter is being cleaned").wait_for()
    seq, when, who, what, about, before, after, _ = cells(row)
    assert who == whole.operator[0] and about.endswith("pump-2/flow") and "override" in what.lower()
    assert before == "as read" and after.startswith("123.5 until 20")
    assert re.search(r"\d\d:\d\d:\d\d", when)
    gone = page.evaluate("""async ([id, csrf]) => (await fetch(`/api/v1/overrides/${id}?reason=clean+again`, { method: 'DELETE',
      headers: { 'X-CSRF-Token': csrf } })).status""",
      [made.json()["id"], page.request.get(f"{look.base}api/v1/session").json()["csrf"]])  # fmt: skip
    assert gone < 300
    row = page.locator("tr[data-kind=OverrideCleared]").first
    row.wait_for()
    assert cells(row)[5:7] == ["overridden", "as read"]
    page.get_by_label("Subject").fill(FLOW)
    page.get_by_label("Subject").press("Enter")
    wait(lambda: "subject=" in page.url, 60, "the list is narrowed", page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))
    (told,) = [r for r in rows if r["seq"] == seq]
    assert (told["actor"], told["before"], told["after"].partition(" ")[0]) == (whole.operator[0], "as read", "123.5")
    assert told["reason"] == "meter is being cleaned" and {r["subject"] for r in rows} == {FLOW}
    assert look.complaints == []


def test_a_record_that_was_changed_is_said_to_be(look, whole):
    page = look.go("audit")
    page.locator(".chain[data-ok=true]").wait_for()
    broken = {"ok": False, "checked": 41, "broken_at": 42, "reason": "the bytes of fact 42 are not those it was chained by", "head": "0" * 64}
    page.route("**/api/v1/facts/verify", lambda route: route.fulfill(json=broken))
    page.get_by_role("button", name="Verify again").click()
    page.locator(".chain[data-ok=false]").get_by_text("The chain is broken at fact 42").wait_for()


def test_what_the_twin_could_not_answer_is_asked_again_soon_and_its_error_goes(look):
    page, away = look.page, [True, True]

    def answer(route):
        if away:
            away.pop()
            route.fulfill(status=503, content_type="application/problem+json", json={"detail": "the twin does not answer", "remedy": "it starts"})
        else:
            route.continue_()

    page.route("**/api/v1/facts/verify", answer)
    look.go("audit")
    page.locator(".chain").get_by_text("the twin does not answer: it starts").wait_for()
    page.locator(".chain[data-ok=true]").wait_for()
    assert "does not answer" not in page.locator(".chain").inner_text()
