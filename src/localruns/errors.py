"""Every error the project raises on purpose, in one tree.

`ConfigError` is the user's to mend, `ApiError` is what the vendor would answer, `EmulatorError` is our own
limit or defect. The wire shows what the vendor would say; `detail` is the whole truth for the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LocalrunsError(Exception):
    """The root of all errors raised on purpose."""


class ConfigError(LocalrunsError):
    """Something in a file, an option or the environment cannot be used.

    Shape: `problems` are finished lines, `file:line: key path: what was found, what was expected`.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ApiError(LocalrunsError):
    """A refusal the vendor would give too; the vendor renders it.

    `kind` is neutral (`bad_request`, `throttled`, ...); `code` picks one row of the vendor's error table and
    may be left empty. `message` is for the wire where the vendor's own text has a gap to fill; `detail` is
    for the journal only. `parameters` fill the gaps of the vendor's message and body.
    """

    kind = "server_error"

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        detail: str = "",
        retry_after_s: float | None = None,
        parameters: Mapping[str, Any] | None = None,
        injected: bool = False,
    ) -> None:
        super().__init__(message or detail or code or self.kind)
        self.message = message
        self.code = code
        self.detail = detail or message
        self.retry_after_s = retry_after_s
        self.parameters: Mapping[str, Any] = parameters or {}
        self.injected = injected


class Unauthorized(ApiError):
    """No credential, or one that does not hold."""

    kind = "unauthorized"


class Forbidden(ApiError):
    """A good credential without the right to do this."""

    kind = "forbidden"


class NotFound(ApiError):
    """No such endpoint or resource."""

    kind = "not_found"


class BadRequest(ApiError):
    """A parameter that cannot be used: `BadRequest("PageSize", "abc", "an integer of at least 1")`."""

    kind = "bad_request"

    def __init__(self, parameter: str, value: object, expected: str = "", **rest: Any) -> None:
        shown = repr(value) if len(repr(value)) <= 120 else repr(value)[:117] + "..."
        detail = f"{parameter} is {shown}" + (f", expected {expected}" if expected else "")
        super().__init__(**{"detail": detail, **rest})
        self.parameter = parameter
        self.value = value
        self.expected = expected


class BadPageToken(BadRequest):
    """A page token that was not given out for this request; `reason` goes to the journal."""

    def __init__(self, parameter: str, value: object, reason: str, **rest: Any) -> None:
        super().__init__(parameter, value, **{"detail": f"page token refused: {reason}", **rest})
        self.reason = reason


class Throttled(ApiError):
    """Too many calls."""

    kind = "throttled"


class ServerError(ApiError):
    """The vendor's own failure."""

    kind = "server_error"


class Unavailable(ApiError):
    """The vendor is overloaded or down."""

    kind = "unavailable"


class EmulatorError(LocalrunsError):
    """Our limit or our defect: answered as problem+json, never in a vendor's shape."""

    status = 500
    title = "localruns defect"


class NotEmulated(EmulatorError):
    """A real operation of the vendor that is outside this emulator."""

    status = 501
    title = "not emulated"


class Unrecorded(EmulatorError):
    """A request that no exchange of the recording equals."""

    status = 501
    title = "not recorded"


class ContractError(EmulatorError):
    """A body we were about to send breaks the vendor's schema; `pointers` say where."""

    title = "contract breach"

    def __init__(self, schema: str, pointers: tuple[str, ...]) -> None:
        super().__init__(f"the answer breaks {schema}: " + "; ".join(pointers))
        self.schema = schema
        self.pointers = pointers


class Problem(EmulatorError):
    """A request to our own surface that cannot be served, with its HTTP status."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title


KINDS: Mapping[str, type[ApiError]] = {
    "bad_request": ApiError,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "not_found": NotFound,
    "throttled": Throttled,
    "server_error": ServerError,
    "unavailable": Unavailable,
}
