"""Policies that are language models: T5 (NegOpt) and GPT-2 (PAE), with windows and weights as actions of their own."""

from .actions import Responses, Sampling
from .model import Analysis, LanguagePolicy

__all__ = ["Analysis", "LanguagePolicy", "Responses", "Sampling"]
