"""Every error the monitor raises on purpose.

HookvitalsError
├── ConfigError            a setting or hookvitals.toml is wrong: names file, line, key and the expected form
├── BadRequest             undecodable or unacceptable request                                    400
│   ├── TooLarge           body, ratio, depth or count over its cap                              413
│   ├── UnsupportedMedia   a body of a type that is not taken                                    415
│   └── Unprocessable      well formed, but not allowed in this state                            422
├── Unauthorized           no valid key or session                                               401
├── Forbidden              known, but not permitted                                              403
├── NotFound               no such thing                                                         404
├── Conflict               the state has changed meanwhile, or the name is taken                 409
│   └── LeaseLost          another worker leads now: what this one was about to write is refused
├── TooManyRequests        over a rate                                                           429
└── Unavailable            the store cannot take it now: try again                               503
    ├── StoreFull          no room on the disk
    ├── Overloaded         more comes in than can be stored
    └── WrongSchema        the store was made by another version: says which command to run

`code` is the stable word used in API, logs, metrics and docs; `hint` tells the operator what to do.
"""


class HookvitalsError(Exception):
    """Base class: `code`, HTTP `status`, a message, and a `hint` for whoever can mend it."""

    code = "internal"
    status = 500

    def __init__(self, message: str, hint: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(HookvitalsError):
    code = "config"


class BadRequest(HookvitalsError):
    code = "bad_request"
    status = 400


class TooLarge(BadRequest):
    code = "too_large"
    status = 413


class UnsupportedMedia(BadRequest):
    code = "unsupported_media_type"
    status = 415


class Unprocessable(BadRequest):
    code = "unprocessable"
    status = 422


class Unauthorized(HookvitalsError):
    code = "unauthorized"
    status = 401


class Forbidden(HookvitalsError):
    code = "forbidden"
    status = 403


class NotFound(HookvitalsError):
    code = "not_found"
    status = 404


class Conflict(HookvitalsError):
    code = "conflict"
    status = 409


class LeaseLost(Conflict):
    code = "lease_lost"


class TooManyRequests(HookvitalsError):
    code = "too_many_requests"
    status = 429


class Unavailable(HookvitalsError):
    code = "unavailable"
    status = 503


class StoreFull(Unavailable):
    code = "store_full"


class Overloaded(Unavailable):
    code = "overloaded"


class WrongSchema(Unavailable):
    code = "wrong_schema"
