"""What a person or a client did that cannot be done, with the status and a message that is safe to show.

`message` is a catalogue id in English; `values` fill it in after translation. The log's wording is never the
person's.
"""

from __future__ import annotations


class AppError(Exception):
    """Base of every error that a request may end in on purpose."""

    status = 500

    def __init__(self, message: str, *, field: str | None = None, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values
        self.field = field


class Malformed(AppError):
    """The request cannot be read at all: wrong type, bad JSON, too deep."""

    status = 400


class Unauthorised(AppError):
    """Nobody is logged in, or the token is not known."""

    status = 401


class Forbidden(AppError):
    """Known who it is, and they may not."""

    status = 403


class NotFound(AppError):
    """No such thing, or not for this viewer: the answer is the same for both."""

    status = 404

    def __init__(
        self, message: str = "Record not found", *, field: str | None = None, **values: object
    ) -> None:
        super().__init__(message, field=field, **values)


class Gone(AppError):
    """It was here and was withdrawn."""

    status = 410


class Conflict(AppError):
    """The thing is not in the state the request takes for granted."""

    status = 409


class TooLarge(AppError):
    """More than the limit; the message names it."""

    status = 413


class Invalid(AppError):
    """Readable, but not acceptable; `field` names what."""

    status = 422


class TooMany(AppError):
    """A rate limit. `retry_after` is in whole seconds."""

    status = 429

    def __init__(
        self, message: str = "Too many requests", *, retry_after: int = 60, **values: object
    ) -> None:
        super().__init__(message, field=None, **values)
        self.retry_after = retry_after


class Unavailable(AppError):
    """Not now: overloaded, or a part that is needed is down."""

    status = 503

    def __init__(
        self, message: str = "Service temporarily unavailable", *, retry_after: int = 10, **values: object
    ) -> None:
        super().__init__(message, field=None, **values)
        self.retry_after = retry_after
