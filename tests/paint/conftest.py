"""One set of tiny pipelines for all tests of this folder, and a recorder of what a model is called with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from tests.paint import tiny

KINDS = ("sd1", "sd2", "sdxl")


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("tiny")
    return {kind: getattr(tiny, kind)(root / kind) for kind in KINDS}


@pytest.fixture(params=KINDS)
def pipeline(request: pytest.FixtureRequest, pipelines: dict[str, Any]) -> Any:
    """Each kind of pipeline in turn."""
    return pipelines[request.param]


@pytest.fixture
def sd1(pipelines: dict[str, Any]) -> Any:
    return pipelines["sd1"]


@dataclass
class Calls:
    """What the UNet was given at each call, and how often each text encoder was called."""

    latents: list[torch.Tensor] = field(default_factory=list)
    states: list[torch.Tensor] = field(default_factory=list)
    pooled: list[torch.Tensor] = field(default_factory=list)
    encoder_rows: list[int] = field(default_factory=list)


class Recorder:
    """Watches the models of a pipeline through forward hooks."""

    def __init__(self) -> None:
        self._handles: list[Any] = []

    def watch(self, pipeline: Any) -> Calls:
        calls = Calls()

        def unet(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
            calls.latents.append(args[0].clone())
            calls.states.append(kwargs["encoder_hidden_states"].clone())
            if kwargs.get("added_cond_kwargs"):
                calls.pooled.append(kwargs["added_cond_kwargs"]["text_embeds"].clone())

        def encoder(_: Any, args: Any, __: dict[str, Any]) -> None:
            calls.encoder_rows.append(len(args[0]))

        self._handles.append(pipeline.unet.register_forward_pre_hook(unet, with_kwargs=True))
        for name in ("text_encoder", "text_encoder_2"):
            if getattr(pipeline, name, None) is not None:
                self._handles.append(getattr(pipeline, name).register_forward_pre_hook(encoder, with_kwargs=True))
        return calls

    def close(self) -> None:
        for handle in self._handles:
            handle.remove()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()
