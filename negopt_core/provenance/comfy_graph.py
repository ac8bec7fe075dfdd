"""Which prompts made a picture, read off the ComfyUI graph that travels in it: from the sampler back to the texts.

Nothing is run. Text that a node makes up at run time (styles, wildcards, language models) is read as its inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import OutputError
from ..json_text import read_json
from ..text.df_text import parse_prompt
from ..text.dialects import Imported
from ..text.prompt import MAX_PROMPT_CHARS, DFPrompt, PromptPair, Span
from .host_text import read_host, with_opposites

Link = tuple[str, int]
"""A node's id and the number of its output."""

_POSITIVE = ("positive", "conditioning", "cond1")
_NEGATIVE = ("negative", "neg_conditioning", "negative_conditioning")
_SIDES = (("positive", "text_positive", "positive_prompt"), ("negative", "text_negative", "negative_prompt"))
_FILLED = "populated_text"
_TEXTS = ("text", "prompt", "df_text", "text_g", "text_l", "t5xxl", "clip_l", "clip_g", "string", "value")
_PART = re.compile(r"(?:text|string)_?[a-z0-9]")
_JOINERS = ("delimiter", "separator")
_OURS = {"NegOptSuggest": (0, 1), "NegOptOneClick": (None, 0, 1, 0, 1)}
"""Side, 0 positive and 1 negative, of each output of our nodes that write prompts."""
_READS_DF = "NegOptEncode"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph as ComfyUI ran it."""

    kind: str
    inputs: Mapping[str, Any]

    def link(self, *names: str) -> Link | None:
        """Where the first of these inputs that is linked comes from."""
        return next((link for name in names if (link := _link(self.inputs.get(name)))), None)


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes by id, and the texts that our nodes locked into the page's own copy of the graph."""

    nodes: Mapping[str, Node]
    locked: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Positive and negative DF-Prompt text by node id."""

    def inputs_of(self, node_id: str) -> Iterator[Link]:
        """Every link into a node."""
        return (link for value in self.nodes[node_id].inputs.values() if (link := _link(value)))


def prompts_of_graph(prompt: str, workflow: str = "") -> PromptPair:
    """The prompts of the sampler nearest to what the graph saves, given the PNG's `prompt` and `workflow` chunks.

    Raises OutputError if that cannot be told.
    """
    try:
        graph = Graph(_read_nodes(prompt), _read_locked(workflow))
        positive, negative = _find_sampler(graph)
        sides = [_side(graph, 0, positive), _side(graph, 1, negative)]
        return with_opposites(*sides)
    except RecursionError as error:
        raise OutputError("the picture's ComfyUI graph is nested too deeply to be read") from error


def _read_nodes(prompt: str) -> dict[str, Node]:
    try:
        values = read_json(prompt)
        return {str(key): Node(str(node["class_type"]), _inputs(node)) for key, node in values.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"the picture's ComfyUI graph cannot be read: {error!r}") from error


def _inputs(node: Mapping[str, Any]) -> Mapping[str, Any]:
    inputs = node["inputs"]
    if not isinstance(inputs, dict):
        raise TypeError(f"the inputs of a node are an object, got {type(inputs).__name__}")
    return inputs


def _read_locked(workflow: str) -> dict[str, list[str]]:
    """The last widgets of a node that writes prompts: locked, positive, negative (nodes/workflow.py)."""
    try:
        nodes = read_json(workflow)["nodes"]
        widgets = {str(node["id"]): node["widgets_values"] for node in nodes if node.get("type") in _OURS}
        return {key: values[-2:] for key, values in widgets.items() if values[-3] is True}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return {}  # only the page's copy: without it the graph itself is still there


def _link(value: object) -> Link | None:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int) and not isinstance(value[0], list):
        return str(value[0]), value[1]
    return None


def _find_sampler(graph: Graph) -> tuple[Link, Link | None]:
    """Breadth first, from what nobody uses (the savers) upwards."""
    used = {link[0] for node_id in graph.nodes for link in graph.inputs_of(node_id)}
    queue = [node_id for node_id in graph.nodes if node_id not in used]
    seen = set(queue)
    for node_id in queue:
        node = graph.nodes[node_id]
        positive, negative = node.link(*_POSITIVE), node.link(*_NEGATIVE)
        samples = "sampler" in node.kind.lower() or "guider" in node.kind.lower()
        if positive and ((negative and node.link("negative")) or samples):
            return positive, negative
        above = [link[0] for link in graph.inputs_of(node_id) if link[0] in graph.nodes and link[0] not in seen]
        queue += dict.fromkeys(above)
        seen.update(above)
    raise OutputError("the picture's ComfyUI graph has no sampler with a positive and a negative")


def _side(graph: Graph, side: int, link: Link | None) -> Imported:
    """What one side asks for, and what it weighs below zero."""
    trace = _Trace(graph, side)
    prompt = trace.conditioning(link) if link else DFPrompt()
    return Imported(prompt, _join(trace.opposites), ())


class _Trace:
    """One side of the sampler, 0 positive or 1 negative, followed upwards; each node is read once."""

    def __init__(self, graph: Graph, side: int) -> None:
        self.graph, self.side = graph, side
        self.known: dict[Link, DFPrompt | str | None] = {}
        self.opposites: list[DFPrompt] = []
        """Words that the texts read so far weigh below zero."""

    def conditioning(self, link: Link) -> DFPrompt:
        """The text behind a conditioning."""
        text = self._once(link, self._conditioning)
        return text if isinstance(text, DFPrompt) else DFPrompt.plain(text)

    def _string(self, link: Link) -> str:
        """The text behind a text input."""
        text = self._once(link, self._read_string)
        return text.text if isinstance(text, DFPrompt) else text

    def _once(self, link: Link, read: Callable[[Link, Node], DFPrompt | str]) -> DFPrompt | str:
        text = self.known.get(link)
        if text is None:
            if link in self.known or link[0] not in self.graph.nodes:
                raise OutputError(f"the picture's ComfyUI graph leads nowhere at node {link[0]}")
            self.known[link] = None  # being read: a link back to here is a circle
            text = self.known[link] = read(link, self.graph.nodes[link[0]])
        return text

    def _conditioning(self, link: Link, node: Node) -> DFPrompt:
        if node.kind in _OURS:
            return parse_prompt(_locked_text(self.graph, link, node))
        if "ZeroOut" in node.kind:
            return DFPrompt()
        passed = (node.link("positive"), node.link(*_NEGATIVE))
        if passed[0] and passed[1]:  # ControlNet and the like take both sides and pass both on
            return self.conditioning(passed[self.side] or passed[0])
        above = [source for name, value in node.inputs.items() if name.startswith("cond") and (source := _link(value))]
        if above:
            return _join([self.conditioning(one) for one in dict.fromkeys(above)])
        text = self._text_in(node)
        if text is not None:
            read = read_host(text, "df" if node.kind == _READS_DF else "comfy")
            self.opposites.append(read.opposite)
            return read.prompt
        return self.conditioning(self._only_input(link, node))

    def _read_string(self, link: Link, node: Node) -> str:
        if node.kind in _OURS:
            return _locked_text(self.graph, link, node)
        text = self._text_in(node)
        return self._string(self._only_input(link, node)) if text is None else text

    def _text_in(self, node: Node) -> str | None:
        """The text that a node was given, for this side if it has both; of several encoders' texts the longest.

        Where a node keeps what became of its wildcards, that is what was painted, and the template is not.
        """
        if filled := self._value(node, _FILLED):
            return filled
        for names in (_SIDES[self.side], _TEXTS):
            texts = [text for name in names if (text := self._value(node, name)) is not None]
            if texts:
                return max(texts, key=len)
        parts = [text for name in node.inputs if _PART.fullmatch(name) and (text := self._value(node, name))]
        joiner = next((node.inputs[name] for name in _JOINERS if isinstance(node.inputs.get(name), str)), ", ")
        _check_size([*parts, *[joiner] * (len(parts) - 1)])
        return str(joiner).join(parts) if parts else None

    def _value(self, node: Node, name: str) -> str | None:
        value = node.inputs.get(name)
        link = _link(value)
        return self._string(link) if link else value if isinstance(value, str) else None

    def _only_input(self, link: Link, node: Node) -> Link:
        """What a reroute, a switch with one input and the like pass on."""
        above = list(self.graph.inputs_of(link[0]))
        if len(above) != 1:
            raise OutputError(f"node {link[0]} ({node.kind}) of the picture's ComfyUI graph holds no text to read")
        return above[0]


def _locked_text(graph: Graph, link: Link, node: Node) -> str:
    """What one of our nodes wrote: it stands in its own widgets, or in the page's copy of the graph."""
    own = [node.inputs.get(name) for name in ("locked_positive", "locked_negative")]
    texts = own if node.inputs.get("locked") is True else graph.locked.get(link[0], ())
    sides = _OURS[node.kind]
    side = sides[link[1]] if 0 <= link[1] < len(sides) else None
    if side is None or len(texts) != 2 or not isinstance(texts[side], str):
        raise OutputError(f"node {link[0]} ({node.kind}) wrote its text at run time and the picture does not hold it")
    return str(texts[side])


def _join(parts: Sequence[DFPrompt]) -> DFPrompt:
    given = [part for part in dict.fromkeys(parts) if part.spans]
    _check_size([part.text for part in given])
    spans = [span for part in given for span in (*part.spans, Span(", "))]
    return DFPrompt(tuple(spans[:-1]))


def _check_size(parts: Sequence[str]) -> None:
    if sum(map(len, parts)) > MAX_PROMPT_CHARS:
        raise OutputError("the texts of the picture's ComfyUI graph add up to more than a prompt")
