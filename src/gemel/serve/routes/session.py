"""Logging in and out, and who one is."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from gemel.serve.access import Gate, Person, Viewer, address
from gemel.serve.sessions import LIFE_S
from gemel.serve.users import LONGEST, Role

router = APIRouter(tags=["session"])


class Credentials(BaseModel):
    """What a person logs in with."""

    user: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=LONGEST)]


class Who(BaseModel):
    """Who is asking."""

    user: str | None
    role: Role
    csrf: str | None = Field(description="Goes into the X-CSRF-Token header of every write.")


def _who(person: Person) -> Who:
    return Who(user=person.name, role=person.role, csrf=person.csrf)


@router.get("/session")
async def who(person: Viewer) -> Who:
    """Tell who is asking."""
    return _who(person)


@router.post("/session")
async def log_in(request: Request, response: Response, given: Credentials) -> Who:
    """Log in; the session is in a cookie that scripts of the page cannot read."""
    gate: Gate = request.app.state.gate
    user = await gate.prove(given.user, given.password, address(request), "page")
    gate.sessions.close(request.cookies.get(gate.settings.cookie, ""))
    token, session = gate.sessions.open(user)
    response.set_cookie(gate.settings.cookie, token, max_age=int(LIFE_S), **_cookie(gate))
    return Who(user=user.name, role=user.role, csrf=session.csrf)


@router.delete("/session", status_code=204)
async def log_out(request: Request, person: Viewer) -> Response:
    """Log out."""
    gate: Gate = request.app.state.gate
    token = request.cookies.get(gate.settings.cookie, "")
    if person.csrf is not None and person.name is not None:
        gate.sessions.close(token)
        await gate.note("LoggedOut", person.name, {})
    gone = Response(status_code=204)
    gone.delete_cookie(gate.settings.cookie, **_cookie(gate))
    return gone


def _cookie(gate: Gate) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": gate.settings.tls}
