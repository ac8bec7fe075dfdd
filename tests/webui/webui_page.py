"""The page of the stub webui, with our accordion on it."""

from __future__ import annotations

import types
from typing import Any

from webui_stub import StubWebui


class Page:
    """The parts of the host's page that the buttons read, and our own components."""

    def __init__(self, webui: StubWebui, prompt: str = "a photo of a cat", negative: str = "") -> None:
        make = webui.gradio.Component
        self.prompt, self.negative = make(value=prompt), make(value=negative)
        self.steps, self.sampler = make(value=10), make(value="Euler")
        self.cfg, self.hires = make(value=7.0), make(value=False)
        ids = {
            "hr-checkbox": self.hires,
            "prompt": self.prompt,
            "neg_prompt": self.negative,
            "steps": self.steps,
            "cfg_scale": self.cfg,
        }
        sizes = {"width": make(value=64), "height": make(value=64), "scheduler": make(value="Automatic")}
        for name, component in {**ids, **sizes, "sampling": self.sampler}.items():
            for callback in webui.callbacks[f"after txt2img_{name}"]:
                callback(types.SimpleNamespace(component=component))
        built: list[Any] = []
        build = webui.module.panel.build
        webui.module.panel.build = lambda *args: built.append(build(*args)) or built[-1]
        audits: list[Any] = []
        build_audit = webui.module.audit_panel.build
        webui.module.audit_panel.build = lambda *args: audits.append(build_audit(*args)) or audits[-1]
        self.arguments = webui.script.ui(False)
        webui.module.panel.build, webui.module.audit_panel.build = build, build_audit
        self.ours, self.audit = built[0], audits[0]
