"""Who may ask, and how much may be sent.

Pages of other sites may not ask, and no request may be larger than a file is allowed to be.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ["127.0.0.1", "localhost"]
"""Names under which the page can be asked for; another one is a page elsewhere whose address was
turned to this machine (DNS rebinding).
"""
SLACK = 65_536
"""Bytes by which a form is larger than the file in it."""
ELSEWHERE = ("cross-site", "same-site")
"""What browsers call a request that another site's page, or another server's on this machine, made.
"""
MEGABYTE = 1_000_000

PAGES = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self'"
    " 'unsafe-inline' blob:; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'"
    " blob:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""What pages may load: nothing from elsewhere. The framework compiles its templates in the browser,
hence 'unsafe-eval'.
"""
RESULTS = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; script-src"
    " 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:;"
    " frame-ancestors 'self'"
)
"""What a report may do: nothing that reaches beyond itself."""


def too_large(limit: int) -> str:
    """The sentence about files that are larger than ``limit`` bytes together."""
    return (
        f"Expected at most {limit / MEGABYTE:g} MB in all; this is more. Leave out columns that are"
        " not needed, or start the page again with a larger --limit."
    )


class Guard:
    """Middleware that refuses requests from other sites' pages, and bodies that are too large.

    It also says what pages may load.

    Args:
        app: behind it.
        limit: bytes of the largest file.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is not None:
            return await refusal(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if _from_elsewhere(headers):
            return PlainTextResponse(
                "Expected a request from this page itself; it came from another site.", 403
            )
        if scope["type"] == "websocket" or scope["method"] in ("GET", "HEAD"):
            return None
        return self._refusal_of_body(headers.get("content-length", ""))

    def _refusal_of_body(self, length: str) -> PlainTextResponse | None:
        """Refuse a body that is too large, or does not say how large it is."""
        if not length.isdigit():
            return PlainTextResponse("Expected a request that says how long it is.", 411)
        if int(length) > self.limit + SLACK:
            return PlainTextResponse(too_large(self.limit), 413)
        return None


def _add_headers(message: Message) -> None:
    """Say what a page may load, where an answer does not say so itself."""
    headers = MutableHeaders(scope=message)
    headers.setdefault("Content-Security-Policy", PAGES)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")


def _from_elsewhere(headers: Headers) -> bool:
    """Whether another site's page asks.

    An image or a script there is asked for without an origin; a link that somebody follows may lead
    here.
    """
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return True
    return headers.get("sec-fetch-site") in ELSEWHERE and not _follows_link(headers)


def _follows_link(headers: Headers) -> bool:
    """Whether a whole page is asked for, to be shown instead of another one."""
    mode, what = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest", "document")
    return mode == "navigate" and what == "document"
