"""The script that A1111, Forge and Forge Neo run. It registers with the webui; the work is done in `negopt_webui/`.

The webui runs this file by path, with the extension's folder on `sys.path` only until it has run: every package that is
needed later is imported here. It also keeps it out of `sys.modules`, so no dataclass can live here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from modules import (
    call_queue,
    paths,
    processing,
    prompt_parser,
    script_callbacks,
    scripts,
    sd_models,
    sd_samplers,
    sd_schedulers,
    shared,
)

from negopt_core.policy.menu import PolicyMenu
from negopt_webui import api, audit_api, audit_panel, axes, injection, panel, session
from negopt_webui.buttons import Buttons
from negopt_webui.host import EncodeCache, Webui
from negopt_webui.model_family import DEFAULT
from negopt_webui.painting import Painter

HOST = Webui(prompt_parser, sd_samplers, shared, sd_models)
SECTION = ("negopt", "negopt")
NO_STORE, BASIC = {"Cache-Control": "no-store"}, {"WWW-Authenticate": "Basic"}


def policy_folders() -> list[Path]:
    """Where policies are: `models/negopt`, and the folder in the settings."""
    folders = [Path(paths.models_path) / "negopt"]
    extra = str(HOST.option("negopt_policy_folder", "") or "").strip()
    return [*folders, Path(extra)] if extra else folders


# The four last as long as this module, which the host loads anew with its page. No state of a job is in any of them.
MENU = PolicyMenu(policy_folders)
CACHE = EncodeCache()
BUTTONS = Buttons(MENU, HOST, gr.update)
AUDITS = audit_api.AuditApi(
    lambda: Path(paths.data_path) / "negopt" / "runs",
    lambda: Path(paths.models_path) / "negopt_scorers",
    Painter(processing, call_queue, shared, sd_samplers, sd_schedulers, HOST),
    shared.cmd_opts,
)


class NegOptScript(scripts.Script):
    """What the host calls for each job. Everything it knows of a job hangs on the job's own processing object."""

    def __init__(self) -> None:
        super().__init__()
        self.page: dict[str, Any] = {}
        self.is_watching = self.is_wired = False

    def title(self) -> str:
        return "negopt"

    def show(self, is_img2img: bool) -> Any:
        if not self.is_watching:  # the host asks more than once
            self.is_watching = True
            for name, elem_id in panel.WATCHED.items():
                self.on_after_component(self.finder(name), elem_id=elem_id.format(tab=_tab(is_img2img)))
        return scripts.AlwaysVisible

    def finder(self, name: str) -> Any:
        """Keeps a part of the page when the host has made it."""

        def found(made: Any) -> None:
            self.page[name] = made.component

        return found

    def ui(self, is_img2img: bool) -> list[Any]:
        chosen = str(HOST.option("negopt_policy", DEFAULT) or DEFAULT)
        default = chosen if MENU.missing(chosen) is None else DEFAULT
        controls = panel.build(gr, _tab(is_img2img), MENU.groups(), default)
        if not self.is_wired:  # later calls only read our defaults, away from the page
            self.is_wired = True
            panel.wire(controls, _tab(is_img2img), self.page, BUTTONS)
            if not is_img2img:
                audit_panel.wire(audit_panel.build(gr), self.page, audit_panel.AuditButtons(AUDITS))
        self.infotext_fields = panel.paste_fields(controls)
        self.paste_field_names = [session.PLAN_KEY]
        return controls.arguments

    def process(self, p: Any, *values: Any) -> None:
        with session.marked(p):
            session.begin(p, values, MENU, HOST)

    def process_before_every_sampling(self, p: Any, *_: Any, **__: Any) -> None:
        job = injection.job_of(p)
        if job is not None and not job.has_failed:
            with session.marked(p):
                injection.prepare(job, p, HOST, CACHE)

    def postprocess_batch(self, p: Any, *_: Any, **__: Any) -> None:
        with session.marked(p):
            session.check_batch(p)

    def postprocess(self, p: Any, _processed: Any, *_: Any) -> None:
        if injection.job_of(p) is not None and not HOST.option("persistent_cond_cache", True):
            CACHE.clear()


def _tab(is_img2img: bool) -> str:
    return "img2img" if is_img2img else "txt2img"


def on_cfg_denoiser(params: Any) -> None:
    """Once for each call of the network."""
    p = getattr(params.denoiser, "p", None)
    job = injection.job_of(p)
    if job is not None and not job.has_failed:
        with session.marked(p):
            injection.swap(job, params, HOST, CACHE)


def on_before_ui() -> None:
    """The grid script has been loaded by now, wherever it stands in the order."""
    axes.add_axes(scripts.scripts_data, MENU)


def on_ui_settings() -> None:
    """Our section of the settings page."""
    add, info = shared.opts.add_option, shared.OptionInfo
    add("negopt_policy", info(DEFAULT, "Policy chosen at start", section=SECTION))
    add("negopt_policy_folder", info("", "Another folder with policies, besides models/negopt", section=SECTION))


def on_app_started(_demo: Any, app: Any) -> None:
    """Routes for programs; see `negopt_webui/api.py` and `audit_api.py`."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, Response

    async def read(request: Any, most: int) -> bytes:
        """The body, or its beginning if it has more than `most` bytes."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > most:
                break
        return body

    async def suggest(request: Any) -> Any:
        body = await read(request, api.MAX_BODY)
        if len(body) > api.MAX_BODY:
            return reply(api.too_large())
        return reply(await run_in_threadpool(api.suggest, MENU, HOST, body))

    def audit(path: str) -> Any:
        async def answered(request: Any) -> Any:
            body = await read(request, audit_api.MAX_BODY)
            asked = path, request.headers, request.query_params, body
            status, content = await run_in_threadpool(AUDITS.answer, *asked)
            if isinstance(content, dict):
                headers = NO_STORE | BASIC if status == 401 else NO_STORE
                return JSONResponse(content, status_code=status, headers=headers)
            kind = "text/html" if isinstance(content, str) else "image/jpeg"
            return Response(content, status_code=status, media_type=kind, headers=NO_STORE)

        return answered

    async def policies(_request: Any) -> Any:
        return reply(api.policies(MENU))

    def reply(answer: api.Answer) -> Any:
        status, values = answer
        return JSONResponse(values, status_code=status)

    for path, method in audit_api.ROUTES.items():
        app.add_route(path, audit(path), methods=[method])
    app.add_route(api.SUGGEST, suggest, methods=["POST"])
    app.add_route(api.POLICIES, policies, methods=["GET"])


script_callbacks.on_cfg_denoiser(on_cfg_denoiser)
script_callbacks.on_before_ui(on_before_ui)
script_callbacks.on_ui_settings(on_ui_settings)
script_callbacks.on_app_started(on_app_started)
script_callbacks.on_script_unloaded(AUDITS.close)
