"""`world report`: what the world's papers' effects measure, from painted pictures, with intervals."""

from studies.world.experiments import ReportSettings
from studies.world.write import write_report

__all__ = ["ReportSettings", "write_report"]
