"""Painters: what turns prompt pairs into pictures. `base` says what a painter is; nothing is imported here."""
