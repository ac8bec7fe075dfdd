"""Evaluation: pictures side by side, with scores."""
