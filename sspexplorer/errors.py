"""The exceptions of this package: one that reaches a user, one that a user asked for."""


class InputError(ValueError):
    """Something given from outside cannot be used; the message says what, in one sentence."""


class Cancelled(Exception):  # noqa: N818  (not an error: the user asked for it)
    """The work was cancelled before it was complete."""
