"""Figures and pictures about results: intervals, set metrics, effects of phrases, plots and sheets."""
