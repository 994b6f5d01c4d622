# SPDX-License-Identifier: Apache-2.0
"""Build the people's door: every resource under one prefix, behind one gate."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Response
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from homeport import VERSION
from homeport.api import DOCUMENT, PREFIX
from homeport.api.server import problems
from homeport.api.server.gate import Gate, with_security_headers
from homeport.api.server.parts import Parts
from homeport.api.server.people import cookies
from homeport.api.server.resources import ROUTERS
from homeport.http.asgi import App
from homeport.http.problem import PEOPLE, with_problems

DOCUMENT_PATH: Final = f"{PREFIX}/openapi.json"


def make_app(parts: Parts) -> App:
    """Return the door as an ASGI application that answers every request, also a bad one."""
    app = resources()
    app.state.parts = parts
    written = DOCUMENT.read_bytes()

    @app.get(DOCUMENT_PATH, include_in_schema=False)
    async def document() -> Response:
        return Response(written, media_type="application/json")

    def refusing(inner: App) -> App:
        return with_problems(inner, parts.noted, PEOPLE)

    # From outside to inside; all of it within the framework's own handler, which has nothing to do.
    app.user_middleware = [
        Middleware(with_security_headers),
        Middleware(refusing),
        Middleware(Gate, parts=parts),
    ]
    return app


def resources() -> FastAPI:
    """Return the resources alone, as OpenAPI describes them."""
    app = FastAPI(
        title="Homeport",
        version=VERSION,
        summary="The people's door of a Homeport platform.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    problems.add_to(app)
    app.router.routes.extend(_routes())
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """What FastAPI makes of the resources: at the first requests, in some 0.3 s, once a process."""
    together = APIRouter(generate_unique_id_function=lambda route: route.name)
    for router in ROUTERS:
        together.include_router(router, prefix=PREFIX)
    return together.routes


def describe() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    app = resources()
    document: dict[str, Any] = app.openapi()
    components = document["components"]
    # What the framework would answer to a bad request; here that is a problem document.
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"]["Problem"] = problems.schema()
    components["schemas"] = dict(sorted(components["schemas"].items()))
    components["responses"] = problems.components()
    components["securitySchemes"] = {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookies.SESSION,
            "description": "Of `POST /session`; changes also need the header X-CSRF-Token.",
        },
    }
    document["security"] = [{"apiKey": []}, {"session": []}]
    for operations in document["paths"].values():
        for operation in operations.values():
            problems.refer(operation["responses"])
    return document
