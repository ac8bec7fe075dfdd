"""STUB of gradio: remembers what was made and what was connected."""

from __future__ import annotations

from typing import Any


class Listener:
    """What connecting gives back: a script of the page can follow. `_js` is the hosts' name for it, on all gradios."""

    def __init__(self) -> None:
        self.script = ""

    def then(self, fn: None, _js: str, show_progress: str) -> None:
        assert fn is None and show_progress == "hidden"
        self.script = _js


class Component:
    """Any component, also as a container."""

    def __init__(self, *args: Any, label: str | None = None, value: Any = None, **settings: Any) -> None:
        self.label, self.value, self.settings = label or (args[0] if args else None), value, settings
        self.events: dict[str, list[tuple[Any, list[Any], list[Any]]]] = {}
        self.after: dict[str, Listener] = {}

    def __enter__(self) -> Component:
        return self

    def __exit__(self, *_: Any) -> None: ...

    def _listen(self, event: str, fn: Any, inputs: list[Any], outputs: list[Any], show_progress: str) -> Listener:
        assert show_progress in ("full", "minimal", "hidden")
        self.events.setdefault(event, []).append((fn, inputs, outputs))
        self.after[event] = Listener()
        return self.after[event]

    def click(self, fn: Any, inputs: list[Any], outputs: list[Any], show_progress: str = "full") -> Listener:
        return self._listen("click", fn, inputs, outputs, show_progress)

    def change(
        self, fn: Any, inputs: list[Any], outputs: list[Any], show_progress: str = "full", queue: bool = True
    ) -> Listener:
        return self._listen("change", fn, inputs, outputs, show_progress)

    def fire(self, event: str) -> None:
        """What a person does on the page: the outputs get their new values, and then each that is new has changed."""
        changed = []
        for fn, inputs, outputs in self.events[event]:
            found = fn(*(component.value for component in inputs))
            for component, value in zip(outputs, found if len(outputs) > 1 else [found], strict=True):
                if isinstance(value, Update):
                    vars(component).update(value)
                elif value != component.value:
                    component.value = value
                    changed.append(component)
        for component in changed:
            if "change" in component.events:
                component.fire("change")


Accordion = Row = Checkbox = Dropdown = Number = Button = Textbox = HTML = Slider = Component


class Update(dict[str, Any]):
    """What is new in a component; empty, it stays as it is."""


def update(**changes: Any) -> Any:
    """As gradio's: values by name."""
    return Update(changes)
