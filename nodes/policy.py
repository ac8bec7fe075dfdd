"""NegOptLoadPolicy, and where ComfyUI keeps policies: `models/negopt/NAME/policy.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..negopt_core.errors import PolicyError
from ..negopt_core.policy import Policy
from ..negopt_core.policy.loglinear.policy import SCHEDULED
from ..negopt_core.policy.menu import PolicyMenu
from ..negopt_core.policy.store import default_policy, with_family
from .host import make_schema

PolicyType = io.Custom("NEGOPT_POLICY")
DEFAULT = default_policy()
ANY = "any"
"""The choice that leaves the family open."""
_KEY = "negopt"
_CLASSES = (
    ("SD15", "sd15"),
    ("SD2", "sd2"),
    ("SDXL", "sdxl"),
    ("SD3", "sd3"),
    ("Flux", "flux"),
    ("Chroma", "chroma"),
    ("QwenImage", "qwen-image"),
    ("ZImage", "z-image"),
    ("Lumina2", "z-image"),
    ("WAN2", "wan"),
    ("Anima", "anima"),
    ("Hunyuan", "hunyuan"),
)
"""How the names of ComfyUI's model classes (comfy/supported_models.py) begin, and the families that they load."""


def policy_folders() -> list[Path]:
    """Folders that hold policies: `models/negopt`, and what `extra_model_paths.yaml` adds under `negopt`."""
    import folder_paths

    if _KEY not in folder_paths.folder_names_and_paths:
        folder_paths.add_model_folder_path(_KEY, str(Path(folder_paths.models_dir) / _KEY))
    return [Path(folder) for folder in folder_paths.get_folder_paths(_KEY)]


def policy_menu() -> PolicyMenu:
    """The policies of this ComfyUI."""
    return PolicyMenu(policy_folders)


def policy_choices(has_families: bool) -> list[str]:
    """What a node's menu shows: the default and the user's own, the default's families (where no field asks), the rest.

    Any other name that is here loads as well; the page adds it to the menu of a node that has it.
    """
    groups = policy_menu().groups()
    families = [with_family(DEFAULT, one) for one in groups.families] if has_families else []
    return [*groups.usual, *families, *groups.more]


def find_policy(name: str) -> Policy:
    """Load a policy by name, or two as NEGATIVE+MODIFIERS; says where to put a missing one."""
    menu = policy_menu()
    try:
        menu.check(name)
    except PolicyError as error:
        raise PolicyError(
            f"{error}. A text that was saved with the workflow can be used without the policy: switch on 'locked' in "
            "the node that holds it"
        ) from error
    return menu.load(name)


def name_for_model(name: str, model: Any) -> str:
    """A policy of ours for the family that a MODEL belongs to, as far as its class tells; other names as they are."""
    config = type(getattr(getattr(model, "model", None), "model_config", None)).__name__
    known = next((family for prefix, family in _CLASSES if config.startswith(prefix)), "")
    return with_family(name, known) if name in (DEFAULT, SCHEDULED) and known else name


class NegOptLoadPolicy(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptLoadPolicy",
            display_name="negopt: load policy",
            description="Loads what writes negatives and modifiers. 'negopt' and some others are built in; "
            "your own are folders under models/negopt. Nothing is downloaded.",
            search_aliases=["negative prompt model", "prompt optimizer"],
            inputs=[
                io.Combo.Input("policy", options=policy_choices(False), default=DEFAULT),
                io.Combo.Input(
                    "family",
                    options=[ANY, *policy_menu().groups().families],
                    default=ANY,
                    optional=True,
                    tooltip="The model that paints, for the policies negopt and negopt-scheduled.",
                ),
            ],
            outputs=[
                PolicyType.Output(display_name="policy"),
                io.String.Output(display_name="card", tooltip="Name, kind, licence and hash of the policy."),
            ],
        )

    @classmethod
    def validate_inputs(cls, policy: str) -> bool:
        # taking the name here keeps ComfyUI from refusing a missing one before a locked text could do without it
        return True

    @classmethod
    def fingerprint_inputs(cls, policy: str, family: str = ANY) -> str:
        return policy_menu().state(policy) + family

    @classmethod
    def execute(cls, policy: str, family: str = ANY) -> io.NodeOutput:
        is_chosen = family != ANY and policy in (DEFAULT, SCHEDULED)
        loaded = find_policy(with_family(policy, family) if is_chosen else policy)
        return io.NodeOutput(loaded, describe_policy(loaded))


def describe_policy(policy: Any) -> str:
    """The card in a few lines."""
    card = policy.card
    lines = {
        "name": card.name,
        "kind": card.kind,
        "made for": card.base_model or ", ".join(card.families) or "any model",
        "licence": card.licence or "not stated",
        "hash": policy.fingerprint[:16],
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


NODES = [NegOptLoadPolicy]
