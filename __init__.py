"""The door through which ComfyUI loads negopt. Anywhere else, importing it does nothing.

ComfyUI imports this folder as a package under a path-like name, so every import below it is relative.
"""

from importlib.util import find_spec

if find_spec("comfy_api"):  # pytest imports this file too, outside any host
    from .nodes import comfy_entrypoint

    WEB_DIRECTORY = "./web"

    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
