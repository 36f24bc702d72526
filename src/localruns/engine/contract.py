"""Our promise: every body we send keeps the vendor's JSON Schema."""

from __future__ import annotations

from localruns import schemas
from localruns.engine.message import Reply
from localruns.errors import ContractError


def check(reply: Reply) -> Reply:
    """The reply, its body checked; rows were checked when the snapshot was built.

    Raises ContractError with a JSON pointer per breach.
    """
    if reply.content is not None and not schemas.validator(reply.schema).is_valid(reply.content):
        raise ContractError(reply.schema, schemas.pointers(reply.schema, reply.content))
    return reply
