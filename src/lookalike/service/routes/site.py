"""What is not data: the reference, the types of problems, the widget for shops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from lookalike.service import widget
from lookalike.service.headers import PAGE_POLICY
from lookalike.service.pages import docs_page, problem_page
from lookalike.service.problem_types import TYPES, ProblemType
from lookalike.service.problems import Refused

router = APIRouter(include_in_schema=False)

WIDGET = Path(widget.__file__).parent
AN_HOUR = "public, max-age=3600"


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The interactive reference."""
    return docs_page(request.app.openapi())


@router.get("/problems")
async def problem_types() -> dict[str, Any]:
    """Every type of problem."""
    return {"problems": [_about(name, each) for name, each in TYPES.items()]}


@router.get("/problems/{name}")
async def problem_type(request: Request, name: str) -> Response:
    """What a type of problem means."""
    if name not in TYPES:
        raise Refused("not-found", f"there is no type of problem {name!r}: GET /problems lists them")
    if "text/html" in request.headers.get("accept", ""):
        return problem_page(name, TYPES[name])
    return JSONResponse(_about(name, TYPES[name]))


def _about(name: str, each: ProblemType) -> dict[str, Any]:
    return {"type": f"/problems/{name}", "status": each.status, "title": each.title, "meaning": each.meaning}


@router.get("/widget.js")
async def widget_script() -> Response:
    """The "search by photo" button for other sites; their pages may load it."""
    shared = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
    return FileResponse(
        WIDGET / "widget.js", media_type="text/javascript", headers={"Cache-Control": AN_HOUR, **shared}
    )


@router.get("/widget/example")
async def widget_example() -> Response:
    """A page of a shop that uses it."""
    return FileResponse(
        WIDGET / "example.html", headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    )


@router.get("/widget/example.js")
async def widget_example_script() -> Response:
    """What the example page does."""
    return FileResponse(
        WIDGET / "example.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"}
    )


@router.get("/widget/example.css")
async def widget_example_style() -> Response:
    """How the example page looks."""
    return FileResponse(WIDGET / "example.css", media_type="text/css", headers={"Cache-Control": "no-cache"})
