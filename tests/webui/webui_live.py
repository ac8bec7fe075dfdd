"""Asks a running webui through its own API. It needs no code of the webui's, and works with any checkpoint."""

from __future__ import annotations

import base64
import io
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import numpy
from PIL import Image

from negopt_core.policy.loglinear.policy import family_named

URL = "NEGOPT_WEBUI_URL"
ABSENT = f"NOT TESTED INSIDE A WEBUI: start one with --api and negopt in its extensions folder, then set {URL}"
SIDE, STEPS, HIRES_STEPS = 64, 8, 6
SECOND_ORDER = ("Heun", "DPM2", "DPM++ SDE", "DPM++ 2S a", "Restart")
"""Samplers whose steps the hosts count twice."""
PATIENCE = 600.0
ROUNDED = 0.02
"""Mean difference in levels of 255 that rounding explains; measured 0.003 at most, and 0.06 for a slip in the words."""
SETTINGS = {"emphasis": "No norm", "CLIP_stop_at_last_layers": 1}
"""Said in every request: hosts do not restore an overridden setting that is not in their own file."""


class Refused(Exception):
    """The webui said no."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"{status}: {answer[:2000]}")
        self.status, self.answer = status, answer


@dataclass(frozen=True)
class Made:
    """Pictures and what is written in them."""

    pictures: tuple[Image.Image, ...]
    infotexts: tuple[str, ...]
    encoded: tuple[str, ...]

    @property
    def pixels(self) -> tuple[bytes, ...]:
        """To compare pictures by."""
        return tuple(picture.convert("RGB").tobytes() for picture in self.pictures)


class Live:
    """One webui."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        options = self.get("/sdapi/v1/options")
        family = family_named(str(options.get("sd_model_checkpoint") or "").split(" [")[0])
        self.rounds = family is not None and family.name != "sd15"
        """True for SDXL, where a text that is encoded together with others comes out with another rounding."""
        self.is_forge = any(name.startswith("forge") for name in options)
        pages = ("/sdapi/v1/latent-upscale-modes", "/sdapi/v1/upscalers")
        known = {upscaler["name"] for page in pages for upscaler in self.get(page)}
        self.upscaler = next(name for name in ("Latent", "Nearest", "None") if name in known)  # no host has all

    def get(self, path: str) -> Any:
        """The JSON of a page."""
        return self._ask(urllib.request.Request(self._address + path))

    def read(self, path: str) -> bytes:
        """The content of a page, whatever it is."""
        with urllib.request.urlopen(self._address + path, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def post(self, path: str, values: dict[str, Any] | bytes) -> Any:
        """The JSON that comes of it; Refused for an error."""
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        return self._ask(urllib.request.Request(self._address + path, body, {"Content-Type": "application/json"}))

    def paint(self, prompt: str, negative: str = "", ours: list[Any] | None = None, **settings: Any) -> Made:
        """Make pictures, with the emphasis under which a schedule means the same however it is written."""
        request = {
            "prompt": prompt,
            "negative_prompt": negative,
            "steps": STEPS,
            "width": SIDE,
            "height": SIDE,
            "seed": 7,
            "sampler_name": "Euler",
            "scheduler": "Automatic",
            "cfg_scale": 5.0,
            **settings,
            "override_settings": {**SETTINGS, **settings.get("override_settings", {})},
        }
        if request.get("enable_hr"):
            request |= {"hr_scale": 2.0, "hr_upscaler": self.upscaler, "hr_second_pass_steps": HIRES_STEPS}
            request |= {"denoising_strength": 0.7, **({"hr_cfg": request["cfg_scale"]} if self.is_forge else {})}
            if self.is_forge:
                request["hr_additional_modules"] = ["Use same choices"]
        if ours is not None:
            request["alwayson_scripts"] = {"negopt": {"args": ours}}
        answer = self.post(f"/sdapi/v1/{'img2img' if 'init_images' in request else 'txt2img'}", request)
        info = json.loads(answer["info"])
        encoded = tuple(answer["images"])
        pictures = tuple(Image.open(io.BytesIO(base64.b64decode(picture))) for picture in encoded)
        return Made(pictures, tuple(info["infotexts"]), encoded)

    def are_same(self, one: Made, other: Made) -> bool:
        """Bit for bit; up to one level in few pixels where the host rounds."""
        if not self.rounds or one.pixels == other.pixels:
            return one.pixels == other.pixels
        both = [
            numpy.abs(numpy.asarray(mine.convert("RGB"), int) - numpy.asarray(theirs.convert("RGB"), int))
            for mine, theirs in zip(one.pictures, other.pictures, strict=True)
        ]
        return all(levels.max() <= 1 and levels.mean() < ROUNDED for levels in both)

    def parameters(self, picture: str) -> dict[str, Any]:
        """What the webui itself reads from a picture."""
        answer = self.post("/sdapi/v1/png-info", {"image": f"data:image/png;base64,{picture}"})
        return dict(answer["parameters"])

    def press(self, elem_id: str, event: str, *values: Any) -> dict[str, Any]:
        """What the page does when a part of it is clicked or changed: new values by id, if they change ours at all."""
        page = self.get("/config")
        ours = next(part["id"] for part in page["components"] if part["props"].get("elem_id") == elem_id)
        names = {part["id"]: str(part["props"].get("elem_id")) for part in page["components"]}
        for number, link in enumerate(page["dependencies"]):
            sources = [
                target if isinstance(target, list) else [target, link.get("trigger")] for target in link["targets"]
            ]
            if [ours, event] in sources and any("negopt" in names[output] for output in link["outputs"]):
                given = [*values, *[None] * (len(link["inputs"]) - len(values))]
                request = {"fn_index": link.get("id", number), "data": given, "session_hash": "negopt"}
                answers = self.post("/run/predict", request)["data"]
                return {names[output]: answer for output, answer in zip(link["outputs"], answers, strict=True)}
        raise LookupError(f"nothing is connected to {elem_id} ({event})")

    def _ask(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode("utf-8", "replace")) from None


def find_live() -> Live | str:
    """The webui to test, or why there is none."""
    address = os.environ.get(URL)
    return Live(address) if address else ABSENT
