"""`world report`: what the world's papers' effects measure, from painted pictures, with intervals."""

from .experiments import ReportSettings
from .write import write_report

__all__ = ["ReportSettings", "write_report"]
