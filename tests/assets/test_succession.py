"""Who is who after a plant file changed: identity is the uid, the path is only its name of today."""

import pytest
from plants import PUMPS, plant

from gemel.assets.succession import succeed
from gemel.samples.lineage import lineage


@pytest.fixture
def grow(tmp_path):
    """Apply one text after the other; give what the last one made of the registry before it."""
    count = iter(range(99))

    def grown(*texts):
        registry = plant(tmp_path / str(next(count)), texts[0]).registry()
        found = None
        for text in texts[1:]:
            found = succeed(registry, plant(tmp_path / str(next(count)), text))
            registry = found.registry
        return found

    return grown


def edited(*edits, base=PUMPS):
    for old, new in edits:
        assert base.count(old) == 1, old
        base = base.replace(old, new)
    return base


MOVED = ("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-2, formerly: area-1/tank-1}")
CALLED = ("level: {unit: m,", "height: {formerly: level, unit: m,")


def test_an_unchanged_file_leaves_the_very_same_registry(grow):
    found = grow(PUMPS, PUMPS)
    assert not len(found.fresh) and not len(found.continued) and not len(found.removed)
    assert grow(PUMPS, edited(("high: 85", "high: 80"))).registry.digest == found.registry.digest


@pytest.mark.parametrize("edits, path", [
    ([MOVED], "area-2/tank-1/level"), ([CALLED], "area-1/tank-1/height"), ([MOVED, CALLED], "area-2/tank-1/height"),
])  # fmt: skip
def test_what_is_moved_or_renamed_keeps_its_uid_and_its_number(grow, edits, path):
    before = grow(PUMPS, PUMPS).registry
    after = grow(PUMPS, edited(*edits)).registry
    number = before.index("acme/riverside/area-1/tank-1/level")
    assert after.index(f"acme/riverside/{path}") == number
    assert after.uid(number) == before.uid(number)
    assert len(after) == len(before) and not after.retired.any()
    assert after.find("acme/riverside/area-1/tank-1/level") is None


def test_the_word_formerly_may_stay_after_it_was_applied(grow):
    once, twice = grow(PUMPS, edited(MOVED)), grow(PUMPS, edited(MOVED), edited(MOVED))
    assert twice.registry.digest == once.registry.digest


def test_what_moves_again_is_still_the_same(grow):
    again = edited(("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-3, formerly: area-2/tank-1}"))
    registry = grow(PUMPS, edited(MOVED), again).registry
    first = grow(PUMPS, PUMPS).registry
    number = first.index("acme/riverside/area-1/tank-1/level")
    assert registry.index("acme/riverside/area-3/tank-1/level") == number


def test_what_is_part_of_a_moved_asset_moves_with_it(grow):
    base = PUMPS.replace("relations:", "  motor: {type: Tank, at: area-1/tank-1}\nrelations:")
    moved = edited(
        MOVED, ("motor: {type: Tank, at: area-1/tank-1}", "motor: {type: Tank, at: area-2/tank-1}"), base=base
    )
    number = grow(base, base).registry.index("acme/riverside/area-1/tank-1/motor/level")
    assert grow(base, moved).registry.index("acme/riverside/area-2/tank-1/motor/level") == number


def test_another_unit_is_a_new_signal_that_goes_on_from_the_former(grow):
    found = grow(PUMPS, edited(("level: {unit: m, range: [0, 12]}", "level: {unit: cm, range: [0, 1200]}")))
    number = found.registry.index("acme/riverside/area-1/tank-1/level")
    (was,) = [s for s in lineage(found.registry, number) if s.signal != number]
    assert number == len(found.registry) - 1
    assert found.registry.retired[was.signal] and not found.registry.retired[number]
    assert was.scale == pytest.approx(100) and was.offset == 0
    assert not len(found.removed)
    assert found.registry.row(was.signal)["unit"] == "m"


def test_another_spelling_of_the_unit_is_no_other_unit(grow):
    base = PUMPS.replace("level: {unit: m,", "volume: {unit: m3}, level: {unit: m,")
    found = grow(base, base.replace("unit: m3", "unit: m³"))
    assert not len(found.continued) and found.registry.row(found.registry.index("acme/riverside/area-1/tank-1/volume"))["unit"] == "m³"


def test_there_and_back_again_are_three_signals_of_one_history(grow):
    cm = edited(("level: {unit: m, range: [0, 12]}", "level: {unit: cm, range: [0, 1200]}"))
    registry = grow(PUMPS, cm, PUMPS).registry
    parts = lineage(registry, registry.index("acme/riverside/area-1/tank-1/level"))
    assert [p.same for p in parts] == [True, False, True]
    assert len({registry.uid(p.signal) for p in parts}) == 3


def test_words_added_to_a_state_leave_its_codes_and_so_its_signal(grow):
    more = grow(PUMPS, edited(("[stopped, running]", "[stopped, running, jammed]")))
    assert not len(more.continued)
    assert more.registry.row(more.registry.index("acme/riverside/area-1/line-1/pump-1/running"))["states"] == ["stopped", "running", "jammed"]
    swapped = grow(PUMPS, edited(("[stopped, running]", "[running, stopped]")))
    assert len(swapped.continued) == 2


def test_another_retention_class_is_the_same_signal(grow):
    found = grow(PUMPS, edited((", retention: fast", "")))
    assert not len(found.continued) and not found.registry.retired.any()
    assert set(found.registry.table["retention"].to_pylist()) == {"default"}


def test_what_is_removed_keeps_its_row_and_comes_back_as_itself(grow):
    none = edited(("  tank-1: {type: Tank, at: area-1}\nrelations: [pump-1 feeds tank-1]\n", ""))
    gone = grow(PUMPS, none)
    number = gone.registry.index("acme/riverside/area-1/tank-1/level")
    assert gone.removed.tolist() == [number] and gone.registry.retired[number]
    back = grow(PUMPS, none, PUMPS).registry
    assert back.index("acme/riverside/area-1/tank-1/level") == number and not back.retired.any()
    assert back.digest == grow(PUMPS, PUMPS).registry.digest


def test_the_same_place_taken_by_another_signal_gets_a_uid_of_its_own(grow):
    renamed = edited(CALLED)
    again = edited(("level: {unit: m,", "height: {unit: m}, level: {unit: m,"))
    registry = grow(PUMPS, renamed, again).registry
    height, level = (registry.index(f"acme/riverside/area-1/tank-1/{n}") for n in ("height", "level"))
    assert height == grow(PUMPS, PUMPS).registry.index("acme/riverside/area-1/tank-1/level")
    assert level == len(registry) - 1
    assert registry.uid(level) != registry.uid(height)


def test_checks_and_alarms_follow_the_signal_to_its_number(tmp_path, grow):
    registry = grow(PUMPS, edited(MOVED, ("high: 85", "high: 80"))).registry
    now = plant(tmp_path / "now", edited(MOVED, ("high: 85", "high: 80")))
    number = registry.index("acme/riverside/area-2/tank-1/level")
    assert now.checks(registry).each("high")[number] == 12
    assert {limit.limit for limit in now.alarms(registry)} == {80, 95}


def test_a_retired_signal_keeps_the_unit_of_its_source(tmp_path, grow):
    """Frames framed before the change may be folded after it."""
    text = edited(("temperature: {unit: degC, range: [-20, 150], alarm: {high: 85, high_high: 95, delay: 5 s, deadband: 3.6 degF}}",
                   "temperature: {unit: K}"))  # fmt: skip
    registry = grow(PUMPS, text).registry
    old = grow(PUMPS, PUMPS).registry.index("acme/riverside/area-1/line-1/pump-2/temperature")
    checks = plant(tmp_path / "now", text).checks(registry)
    assert registry.retired[old]
    assert 212 * checks.each("scale")[old] + checks.each("offset")[old] == pytest.approx(100)


@pytest.mark.parametrize("edit, words", [
    (("level: {unit: m,", "height: {unit: m, formerly: level}, level: {unit: m,"), "is a signal still"),
    (("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-1}\n  t2: {type: Tank, formerly: area-1/tank-1}"), "is an asset still"),
    (("level: {unit: m,", "height: {unit: m, formerly: x}, width: {unit: m, formerly: x}, level: {unit: m,"), "only one of them"),
])  # fmt: skip
def test_two_that_would_be_one_are_refused(tmp_path, edit, words):
    from plants import problems

    found = [str(p) for p in problems(tmp_path / "p", edited(edit)) if p.severity == "error"]
    assert any(words in line for line in found), found
