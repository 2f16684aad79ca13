"""Jobs as the API tells of them: what all kinds have in common, and that each is found under its own kind alone."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, Field

from gemel.errors import NotFoundError
from gemel.serve import times
from gemel.serve.port_jobs import Job, Jobbing

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{20}$", description="Of a job.")]


class JobShape(BaseModel):
    """A job as it stands; what its kind adds is asked and answered beside it."""

    id: str
    title: str
    asset: str
    by: str
    made: times.Written
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    seconds: float | None = Field(default=None, description="It was worked on.")
    problem: str = ""
    code: str = ""
    remedy: str = ""
    result: dict[str, Any] | None = None


def standing(job: Job) -> dict[str, Any]:
    """Give what `JobShape` tells of a job."""
    asked, ended = job.asked, job.ended
    told: dict[str, Any] = {} if ended is None else {
        "seconds": ended.seconds, "problem": ended.problem, "code": ended.code, "remedy": ended.remedy, "result": ended.result,
    }  # fmt: skip
    return {
        "id": asked.id, "title": asked.title, "asset": asked.spec["asset"], "by": asked.by, "made": asked.made,
        "state": job.state, "progress": job.progress, **told,
    }  # fmt: skip


async def of_kind(jobs: Jobbing, kind: str, name: str) -> Job:
    """Give a job; raises NotFoundError where there is none of this kind."""
    job = await jobs.get(name)
    if job.asked.kind != kind:
        raise NotFoundError(f"no job {name!r} of the kind {kind}", remedy="see the list that it was asked for with")
    return job
