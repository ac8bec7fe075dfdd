"""Rewards: what a picture is worth. `base` says what a scorer is; nothing is imported here."""
