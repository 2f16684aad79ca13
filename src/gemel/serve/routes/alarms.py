"""Alarms: the list in the order in which somebody should look, acknowledging, shelving."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gemel.errors import GemelError
from gemel.samples.clock import SECOND
from gemel.serve import times
from gemel.serve.access import Asked, Operator, Viewer
from gemel.serve.paging import After, Limit, following
from gemel.serve.standing import Moment

router = APIRouter(tags=["alarms"])
FLOOD: Final = 10  # new alarms in ten minutes: ISA-18.2-2016, clause 16, and EEMUA 191
FLOOD_NS: Final = 600 * SECOND
MOST_AT_ONCE: Final = 200  # the visible page, never blindly all
LONGEST_SHELF_S: Final = 86_400
STATES: Final = {
    "unacknowledged": "unacknowledged", "acknowledged": "acknowledged", "returned_unacknowledged": "returned", "shelved": "shelved",
}  # fmt: skip


class Alarm(BaseModel):
    """An alarm that is not normal."""

    id: str
    signal: str
    asset: str
    level: str = Field(description="high, high_high, low, low_low, or deviation: not as the dynamic model expects.")
    priority: int = Field(ge=1, le=3)
    state: str
    active: bool
    limit: float | None = Field(description="Null of a deviation, and of a past alarm whose limit nobody knows any more.")
    unit: str
    value: float | None
    since: times.Written | None
    raised: times.Written | None
    cleared: times.Written | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    first_out: bool = Field(default=False, description="The first of those that were raised together.")
    chattering: bool = False
    standing: bool = Field(default=False, description="Active for so long that nobody sees it any more.")
    cause: str | None = None
    consequence: str | None = None
    response: str | None = None
    respond_within_s: float | None = None
    shelved_until: times.Written | None = None
    shelved_by: str | None = None


class Counts(BaseModel):
    """How many alarms, by state; and of those on the list, by priority."""

    unacknowledged: int
    acknowledged: int
    returned: int
    shelved: int
    by_priority: dict[str, int]


class AlarmPage(BaseModel):
    """Alarms, those first that need somebody."""

    items: list[Alarm]
    counts: Counts
    flood: bool = Field(description="More than ten were raised in ten minutes.")
    next: int | None


class Comment(BaseModel):
    """A word on an acknowledgement."""

    comment: Annotated[str, Field(max_length=1000)] = ""


class Several(Comment):
    """Which alarms."""

    ids: Annotated[list[Annotated[str, Field(max_length=500)]], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Shelving(BaseModel):
    """For how long, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    seconds: Annotated[float, Field(gt=0, le=LONGEST_SHELF_S)]


class Done(BaseModel):
    """What was asked of, and what could not be done."""

    acknowledged: list[str] = []
    shelved: list[str] = []
    refused: list[dict[str, str]] = []


def summary(alarms: Sequence[dict[str, Any]], plant_time: int) -> dict[str, Any]:
    """Count alarms, and tell whether they come too fast to be read."""
    counts = dict.fromkeys(STATES.values(), 0)
    priorities = {"1": 0, "2": 0, "3": 0}
    recent = 0
    for alarm in alarms:
        if (key := STATES.get(alarm["state"])) is None:
            continue
        counts[key] += 1
        if key != "shelved":
            priorities[str(alarm["priority"])] += 1
        recent += _raised(alarm) > plant_time - FLOOD_NS
    return {"counts": {**counts, "by_priority": priorities}, "flood": recent > FLOOD}


def _raised(alarm: dict[str, Any]) -> int:
    raised = alarm.get("raised")
    return times.read(raised) if isinstance(raised, str) else int(raised or 0)


@router.get("/alarms")
async def alarms(
    _: Viewer, twin: Asked, after: After = 0, limit: Limit = 1000,
    at: Annotated[times.Instant | None, Query(description="As they stood then; now, if left out.")] = None,
    known: Annotated[times.Instant | None, Query(description="By what was known then; all, if left out.")] = None,
) -> AlarmPage:  # fmt: skip
    """Give the alarms that are not normal, or were not."""
    moment = Moment.of(twin, at, known)
    found = await moment.alarms()
    told = summary(found, moment.at)
    return AlarmPage.model_validate(
        {"items": found[after : after + limit], **told, "next": following(after, limit, len(found))}
    )


@router.post("/alarms/acknowledge")
async def acknowledge_several(person: Operator, twin: Asked, given: Several) -> Done:
    """Acknowledge the alarms that one sees; each is told apart."""
    assert person.name is not None
    done: list[str] = []
    refused: list[dict[str, str]] = []
    for alarm in dict.fromkeys(given.ids):
        try:
            await twin.acknowledge(alarm, person.name, given.comment)
            done.append(alarm)
        except GemelError as e:
            refused.append({"id": alarm, "code": e.code, "message": e.message})
    return Done(acknowledged=done, refused=refused)


@router.post("/alarms/{id:path}/acknowledge")
async def acknowledge(id: str, person: Operator, twin: Asked, given: Comment) -> Done:  # noqa: A002 - the face's own word
    """Acknowledge an alarm; the id is URL-encoded."""
    assert person.name is not None
    await twin.acknowledge(id, person.name, given.comment)
    return Done(acknowledged=[id])


@router.post("/alarms/{id:path}/shelve")
async def shelve(id: str, person: Operator, twin: Asked, given: Shelving) -> Done:  # noqa: A002
    """Put an alarm aside for a time; it comes back by itself."""
    assert person.name is not None
    await twin.shelve(id, person.name, given.reason, given.seconds)
    return Done(shelved=[id])
