"""The web page as it was built, and the few pages that the service makes itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from lookalike.service.guards import path_of
from lookalike.service.headers import DOCS_POLICY, PAGE_POLICY
from lookalike.service.problem_types import ProblemType

PAGE = Path(__file__).parent / "page"
"""What ``npm run build`` writes."""

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

_LOOK = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}"


class Page:
    """Answers every address that no route does: with a file of the page, or the page itself.

    The page reads the rest of the address, so that a link into it works: ``/shop/map`` is the page too.

    Args:
        folder: Of the built page; it may be absent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            HTTPException: If there is nothing at the address.
        """
        if scope["type"] != "http":
            return
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        path = path_of(scope)
        if scope["method"] not in ("GET", "HEAD") or path.startswith("/v1/") or "\\" in path or "\0" in path:
            raise HTTPException(404)
        if PurePosixPath(path).suffix:
            response = await self._files.get_response(path.lstrip("/"), scope)
            response.headers["Cache-Control"] = FOREVER if path.startswith("/assets/") else ASK_AGAIN
            return response
        if not (self._folder / "index.html").is_file():
            return absent_page()
        response = await self._files.get_response("index.html", scope)
        response.headers["Cache-Control"] = ASK_AGAIN
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response


def absent_page() -> Response:
    """What stands in the place of the page where it was not built."""
    return _html(
        "lookalike",
        "<h1>lookalike is running</h1><p>This installation has no web page: it was installed from sources in which "
        "it was not built (<code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>). The REST service "
        'works all the same: see <a href="/docs">/docs</a>.</p>',
    )


def docs_page(openapi: Mapping[str, Any]) -> Response:
    """The interactive reference, from our own origin; a plain list where it was not built."""
    if (PAGE / "docs" / "swagger-ui-bundle.js").is_file():
        return _html(
            "lookalike REST",
            '<div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script>'
            '<script src="/docs/init.js"></script>',
            head='<link rel="stylesheet" href="/docs/swagger-ui.css">',
            policy=DOCS_POLICY,
        )
    rows = "".join(
        f"<li><code>{escape(method.upper())} {escape(path)}</code> {escape(str(about.get('summary', '')))}</li>"
        for path, methods in openapi["paths"].items()
        for method, about in methods.items()
    )
    return _html(
        "lookalike REST",
        f'<h1>lookalike REST</h1><p>All of it: <a href="/openapi.json">/openapi.json</a>.</p><ul>{rows}</ul>',
    )


def problem_page(name: str, about: ProblemType) -> Response:
    """What a type of problem means."""
    return _html(
        about.title,
        f"<h1>{escape(about.title)}</h1><p><code>{escape(name)}</code>, status {about.status}</p>"
        f"<p>{escape(about.meaning)}</p>",
    )


def _html(title: str, body: str, *, head: str | None = None, policy: str | None = None) -> Response:
    style = f"<style>{_LOOK}</style>" if head is None else head
    policy = policy or DOCS_POLICY  # its one style stands in the page itself
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">{style}</head>'
        f"<body>{body}</body></html>"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": policy, "Cache-Control": ASK_AGAIN})
