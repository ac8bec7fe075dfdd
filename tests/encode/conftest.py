"""The tiny pipelines of tests/paint: their text encoders are what is tested here."""

from tests.paint.conftest import pipeline, pipelines, recorder, sd1

__all__ = ["pipeline", "pipelines", "recorder", "sd1"]
