"""Run by every Python that has this folder on its path."""

import network_guard

network_guard.install()
