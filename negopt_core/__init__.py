"""negopt: learned negative prompts and scheduled, weighted modifiers for text-to-image diffusion.

Importing this package imports no torch; painters, policies with weights and the demo world live in submodules.
"""

from .errors import Cancelled, DialectError, ModelError, NegOptError, OutputError, PolicyError, PromptError
from .text.df_text import Parsed, Problem, format_prompt, parse_prompt, parse_report
from .text.prompt import DFPrompt, PromptPair, Span, Window
from .text.schedule import Schedule, Segment, compile_schedule, segment_at, spans_never_live

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "DFPrompt",
    "DialectError",
    "ModelError",
    "NegOptError",
    "OutputError",
    "Parsed",
    "PolicyError",
    "Problem",
    "PromptError",
    "PromptPair",
    "Schedule",
    "Segment",
    "Span",
    "Window",
    "compile_schedule",
    "format_prompt",
    "parse_prompt",
    "parse_report",
    "segment_at",
    "spans_never_live",
]
