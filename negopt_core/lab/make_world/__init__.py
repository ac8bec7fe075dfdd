"""Trains the demo world from nothing."""
