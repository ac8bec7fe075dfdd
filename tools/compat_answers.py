"""Prints as JSON what the policies say under this Python: run by `compat.py` in each environment, nothing installed.

Arguments are folders of policies, besides the built-in ones. Seed 0 is a language policy's likeliest text.
"""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.store import builtin_names

PROMPTS = (
    "a photo of a cat",
    "a red circle left of a blue square",
    "portrait of an old fisherman, oil painting",
    "Tokyo at night, neon signs, rain (detailed:1.2)",
    "une maison rouge à côté de l'océan",
    "",
)
PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")


def main() -> None:
    """One object: the versions, and for each policy its fingerprint and the DF-Prompt text of both sides."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    policies = {name: answers(name) for name in builtin_names()}
    policies |= {Path(folder).name: answers(folder) for folder in sys.argv[1:]}
    json.dump({"versions": versions, "policies": policies}, sys.stdout)


def answers(name: str) -> dict[str, object]:
    """What one policy says."""
    policy = load_policy(name)
    said = suggest(policy, PROMPTS, SuggestOptions(seed=0))
    return {"fingerprint": policy.fingerprint, "said": [[one.df_positive, one.df_negative] for one in said]}


if __name__ == "__main__":
    main()
