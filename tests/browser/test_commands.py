"""Asked, approved by another person, confirmed, written, read back (check 15)."""

from pathlib import Path

from browser_kit import PUMP_1, PUMP_2, wait

COMMAND = "[data-command=set_speed]"


def ask(look, asset, value, reason):
    page = look.go(f"#/asset/{asset}")
    look.wait_live()
    plate = page.locator(COMMAND)
    field = plate.locator("input[name=value]")
    wait(lambda: field.count() == 1 and field.is_enabled(), 60, "the faceplate takes a value")
    field.fill(str(value))
    plate.locator("input[name=reason]").fill(reason)
    plate.get_by_role("button", name="Ask for it").click()
    return page, plate


def api(page, base, path):
    return page.request.get(f"{base}api/v1/{path}").json()


def write(page, base, path, body):
    session = api(page, base, "session")
    headers = {"X-CSRF-Token": session["csrf"] or "", "Origin": base.rstrip("/")}
    return page.request.post(f"{base}api/v1/{path}", data=body, headers=headers)


def told(page, base, asset, value, state):
    """Wait until the command to this value is in a state; give it."""
    def found():
        items = api(page, base, f"commands?asset={asset}")["items"]
        return next((c for c in items if (c["value"], c["state"]) == (value, state)), None)

    return wait(found, 60, f"the command to {value} is {state}")


def current(page, base, asset, name):
    return api(page, base, f"state/{asset}")["properties"][name]["value"]


def test_a_viewer_is_told_to_log_in_and_refused_by_the_twin_itself(look, whole):
    page = look.go(f"#/asset/{PUMP_1}")
    page.locator(COMMAND).get_by_text("Log in as operator").wait_for()
    assert page.locator(f"{COMMAND} input[name=value]").is_disabled()
    body = {"asset": PUMP_1, "command": "set_speed", "value": 2000, "reason": ""}
    assert write(page, look.base, "commands", body).status in (401, 403)


def test_what_is_asked_is_confirmed_first_then_written_and_read_back(look, whole):
    look.go("overview")
    look.log_in(whole.operator)
    before = current(look.page, look.base, PUMP_1, "speed")
    wanted = round(before - 60 if before > 1500 else before + 60)
    page, plate = ask(look, PUMP_1, wanted, "a little less")
    dialog = page.locator("dialog")
    assert f"{wanted}" in dialog.inner_text().replace("\u202f", "")
    dialog.get_by_role("button", name="Confirm").click()
    plate.locator("[data-step=confirmed][data-reached=true]").wait_for(timeout=60_000)
    made = told(page, look.base, PUMP_1, wanted, "confirmed")
    assert made["requested_by"] == whole.operator[0]
    assert abs(made["read_back"] - wanted) <= 30
    steps = [s["state"] for s in made["steps"]]
    assert steps.index("sent") < steps.index("confirmed")


def test_a_value_beyond_the_limits_is_refused_with_words(look, whole):
    look.go("overview")
    look.log_in(whole.operator)
    page, plate = ask(look, PUMP_1, 99999, "too much")
    plate.locator(".refusal").wait_for()
    assert "At most" in plate.locator(".refusal").inner_text()
    assert page.locator("dialog").count() == 0


def test_a_second_person_approves_by_keyboard_and_nobody_decides_twice(look, windows, whole):
    look.go("overview")
    look.log_in(whole.operator)
    before = current(look.page, look.base, PUMP_2, "speed")
    wanted = round(before - 60 if before > 1500 else before + 60)
    page, plate = ask(look, PUMP_2, wanted, "evening")
    page.locator("dialog").get_by_role("button", name="Confirm").click()
    plate.locator("[data-state=awaiting_approval]").wait_for(timeout=60_000)
    made = told(page, look.base, PUMP_2, wanted, "awaiting_approval")
    assert write(page, look.base, f"commands/{made['id']}/approve", {"reason": ""}).status == 403, "one's own command"

    engineer = windows()
    engineer.go("commands")
    engineer.log_in(whole.engineer)
    engineer.wait_live()
    row = engineer.page.locator(f"tr[data-command-id='{made['id']}']")
    approve = row.get_by_role("button", name="Approve", exact=True)
    wait(lambda: approve.count() == 1 and approve.is_enabled(), 60, "it can be approved")
    approve.focus()
    engineer.page.keyboard.press("Enter")
    engineer.page.locator("dialog input[name=reason]").focus()
    engineer.page.keyboard.type("agreed")
    engineer.page.keyboard.press("Enter")
    row.locator("[data-step=confirmed][data-reached=true]").wait_for(timeout=60_000)
    plate.locator("[data-step=confirmed][data-reached=true]").wait_for(timeout=60_000)
    assert told(page, look.base, PUMP_2, wanted, "confirmed")["approved_by"] == whole.engineer[0]
    again = write(engineer.page, look.base, f"commands/{made['id']}/approve", {"reason": ""})
    assert again.status == 409


def test_the_audit_says_who_asked_approved_and_what_became_of_it(look, whole):
    look.go("overview")
    look.log_in(whole.operator)
    page = look.go("audit")
    page.locator(".chain[data-ok=true]").wait_for(timeout=60_000)
    rows = page.locator(".fact-list tbody tr")
    wait(lambda: rows.count() > 3, 60, "facts are listed")
    page.locator(".fact-list").get_by_text(whole.operator[0]).first.wait_for()
    listed = rows.count()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    lines = Path(waiting.value.path()).read_bytes().decode().split("\r\n")
    assert lines[0].startswith("seq,recorded,at,actor,kind,subject,before,after,reason")
    assert len(lines) - 2 >= listed
