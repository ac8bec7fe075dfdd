"""Policies: what writes negatives and modifiers. `load_policy` finds one, `suggest` calls it and keeps its promises."""

from .base import Policy
from .card import PolicyCard
from .store import list_policies, load_policy
from .suggest import Suggestion, SuggestOptions, suggest

__all__ = ["Policy", "PolicyCard", "SuggestOptions", "Suggestion", "list_policies", "load_policy", "suggest"]
