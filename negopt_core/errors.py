"""The tree of errors that negopt raises on purpose; catch `NegOptError` to catch them all.

NegOptError
├── PromptError     a prompt, window, weight or step count that has no meaning
├── DialectError    a schedule that a host's prompt grammar cannot say
├── PolicyError     a policy that is missing, malformed or not allowed
├── ModelError      a painter's or scorer's weights that are missing, corrupt or refused
├── TrainingError   a training setting without meaning, or a run that cannot go on
├── OutputError     a file that cannot be written, or a picture that holds no provenance
├── MissingPackage  a package that is not installed, or cannot be imported
└── Cancelled       the user stopped the work
"""


class NegOptError(Exception):
    """Root of the errors that negopt raises on purpose; the message names the value, the rule and the remedy."""


class PromptError(NegOptError):
    """A prompt, window, weight or step count that has no meaning."""


class DialectError(NegOptError):
    """A schedule that a host's prompt grammar cannot say."""


class PolicyError(NegOptError):
    """A policy that is missing, malformed or not allowed."""


class ModelError(NegOptError):
    """Weights of a painter or scorer that are missing, corrupt or refused."""


class TrainingError(NegOptError):
    """A training setting without meaning, or a run that cannot go on."""


class OutputError(NegOptError):
    """A file that cannot be written, or a picture that holds no provenance."""


class MissingPackage(NegOptError):
    """A package that is not installed, or cannot be imported; the message has the command that installs it."""


class Cancelled(NegOptError):
    """The user stopped the work."""
