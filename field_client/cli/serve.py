"""`jemput serve`: the pages, in a browser on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from field_client.cli.common import Call, command
from models.problems import Problem
from models.words import say


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "serve")(serve)


def serve(
    call: Call,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0: any free one."),
    ] = None,
    browser: Annotated[
        bool, typer.Option(help="Open the browser; without it, only tell the address.")
    ] = True,
) -> None:
    """Open the pages in the browser of this machine; stays until it is stopped."""
    from field_client.pages.serving import invite_again, serve_pages

    def told(address: str) -> None:
        call.give({"url": address})
        if browser:
            import webbrowser

            webbrowser.open(address)
        call.out(say("Jemput Bola terbuka di browser laptop ini. Ctrl+C menutupnya.", call.lang))
        if not browser:
            call.out(address)

    try:
        serve_pages(call.place, port, told)
    except Problem as problem:
        address = invite_again(call.place) if problem.code == "page.running" else ""
        if not address:
            raise
        told(address)
