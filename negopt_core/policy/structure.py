"""Whether words can be put behind a prompt without spoiling it, and if not, why."""

from __future__ import annotations

import json
import re

_JSON_KEY = re.compile(r"[{,]\s*\"[^\"\n]{1,80}\"\s*:")
_YAML_LINE = re.compile(r"\s*(?:-\s+)?[\w][\w \-/]{0,40}:(?:\s|$)")
_CHAT = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|\[/?INST\]|<(?:start|end)_of_turn>|</s>|^[^\S\n]*#{2,}[^\S\n]*(?:instruction|response|input)\b|"
    r"^[^\S\n]*(?:system|user|assistant|human)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_SYSTEM = re.compile(
    r"\A.*<prompt start>|<\|im_start\|>system\b.{0,5000}?<\|im_end\|>|<<SYS>>.{0,5000}?<</SYS>>|"
    r"^[^\S\n]*system[^\S\n]*:[^\n]*",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)\s*(?:[^<>:]*)>")
_JOINED = re.compile(r"(?<!\w)(?:AND|ADDCOL|ADDROW|ADDCOMM|ADDBASE|AND_PERP|AND_SALT|AND_TOPK)(?!\w)")
_ENDS_OPEN = re.compile(r"(?<!\w)BREAK\s*$")
_FLAG = re.compile(r"(?<!\S)--[a-z]+(?:\s+[^\s-]\S*)*\s*$")
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def why_closed(prompt: str) -> str:
    """Why no words may be put behind a prompt, in words that follow "because"; "" if they may."""
    text = prompt.strip()
    if structured := why_structured(text):
        return structured
    if joint := _JOINED.search(text):
        return f"it is several prompts joined by {joint.group()}, and words behind it would belong to the last one"
    if _ENDS_OPEN.search(text) or _is_open(text):
        return "it ends inside an open bracket or behind BREAK"
    if _FLAG.search(text):
        return "it ends with flags (--...), and words behind them would be read as part of them"
    return ""


def why_structured(prompt: str) -> str:
    """Why a prompt is no text of words at all but JSON, fields, a chat or tags, in the words of `why_closed`."""
    text = prompt.strip()
    if is_json(text):
        return "it is JSON, and words behind it would break it"
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and sum(bool(_YAML_LINE.match(line)) for line in lines) > len(lines) / 2:
        return "it is a list of fields, and words behind it would belong to the last one"
    if _CHAT.search(text):
        return "it is written as a chat, and words behind it would be outside of the turn"
    tags = [match.group(1, 2) for match in _TAG.finditer(text)]
    if tags and text.endswith(">") and tags[-1][0]:
        return f"it ends with the tag </{tags[-1][1][:20]}>, and words behind it would be outside"
    return ""


def without_names(prompt: str) -> str:
    """The prompt without the names of its fields and of files: what is left is said about the picture."""
    prompt = _SYSTEM.sub(" ", prompt)
    text = re.sub(r"<(?:lora|lyco|hypernet|lbw)[^<>\n]*>|\bembedding:\S+", " ", prompt, flags=re.IGNORECASE)
    if not why_closed(prompt):
        return text
    if is_json(text):
        return re.sub(r"([{,]\s*)\"[^\"\n]{1,80}\"\s*:", r"\1 ", text).replace('"', " ")
    text = _CHAT.sub(" ", text)
    return "\n".join(_YAML_LINE.sub(" ", line) for line in text.splitlines())


def is_json(prompt: str, is_strict: bool = False) -> bool:
    """True for a JSON object or list; also for one with a slip in it, unless `is_strict`."""
    text = prompt.strip()
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return not is_strict and bool(_JSON_KEY.search(text))


def _is_open(text: str) -> bool:
    """True if a bracket is open at the end; one that was escaped is none."""
    open_ones: list[str] = []
    for sign in re.sub(r"\\.", "", text, flags=re.DOTALL):
        if sign in "([{":
            open_ones.append(sign)
        elif sign in _BRACKETS and open_ones and open_ones[-1] == _BRACKETS[sign]:
            open_ones.pop()
    return bool(open_ones)
