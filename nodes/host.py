"""The few things asked of ComfyUI itself: schemas that suit its version, lines on a node, the log."""

from __future__ import annotations

import dataclasses
import logging
import sys
from typing import Any

from comfy_api.latest import io

log = logging.getLogger("negopt")

CATEGORY = "negopt"


def make_schema(**fields: Any) -> io.Schema:
    """A node schema; leaves out what this ComfyUI does not know yet (search aliases came in January 2026).

    A node that speaks to its place in the page must not get the cached result of one like it in another workflow, which
    would speak to that one's place; ComfyUI calls this not idempotent.
    """
    known = {field.name for field in dataclasses.fields(io.Schema)}
    fields["not_idempotent"] = io.Hidden.unique_id in fields.get("hidden", ())
    return io.Schema(category=CATEGORY, **{name: value for name, value in fields.items() if name in known})


def advanced(one: io.Input) -> io.Input:
    """The same input, hidden until the user asks the node for its advanced ones; older pages show it like the others.

    Through `extra_dict`, because ComfyUI before 2026 has no such argument.
    """
    one.extra_dict = {**(one.extra_dict or {}), "advanced": True}
    return one


def node_id_of(node: type[io.ComfyNode]) -> str | None:
    """The id of the node in the graph being run; None outside of a graph."""
    return node.hidden.unique_id if node.hidden is not None else None


def page_server() -> Any:
    """ComfyUI's server, or None. Looked up, not imported: where ComfyUI runs as a library it must not start loading."""
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def show_on_node(node_id: str | None, text: str) -> None:
    """Write a line on the node in the page; silent where there is no page (library use, tests)."""
    server = page_server()
    if node_id is not None and server is not None:
        server.send_progress_text(text, node_id)


def tell_page(event: str, data: dict[str, Any]) -> None:
    """Send an event to every page that is open; silent where there is no server."""
    server = page_server()
    if server is not None:
        server.send_sync(event, data)


def warn(node_id: str | None, message: str) -> None:
    """Say something the user should know: in the log, and on the node."""
    log.warning("negopt: %s", message)
    show_on_node(node_id, message)
