"""The one exception that reaches a user."""


class InputError(ValueError):
    """Something given from outside cannot be used; the message says what, in one sentence."""
