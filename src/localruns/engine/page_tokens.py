"""Text page tokens of a call: given out with a page, taken back with the next request."""

from __future__ import annotations

from localruns.clock import epoch_ms
from localruns.engine.call import Call
from localruns.engine.message import Page
from localruns.engine.query import Query
from localruns.engine.tokens import PageToken, TokenError, fingerprint, seal, unseal
from localruns.errors import BadPageToken


def next_token(page: Page, call: Call, prefix: str = "") -> str | None:
    """The text token of the page after this one; None on the last page."""
    if page.token is not None:
        return page.token
    if not page.more or call.query is None:
        return None
    token = PageToken(
        namespace=call.space.name,
        query=fingerprint(call.query),
        size=call.entry.visit.size if call.entry.visit else call.cut.size,
        offset=page.next_offset,
        version=call.state.version,
        page=call.page_number + (not page.again),
        mark=page.mark,
        until_ms=until_ms(call),
    )
    return prefix + seal(token, call.space.scenario.seed, call.vendor.id, page.token_characters - len(prefix))


def until_ms(call: Call) -> int:
    """When a token that is given out now ends, by the setting `page_token_ttl_s`; 0 for never. Units: virtual time."""
    ttl_s: int = call.settings["page_token_ttl_s"]
    return epoch_ms(call.entry.at) + 1000 * ttl_s if ttl_s else 0


def read_token(call: Call, text: str, parameter: str, query: Query, size: int, prefix: str = "") -> PageToken:
    """The page token of a request, held against the setting `token_binding`. Raises BadPageToken."""
    token = living(call, text, parameter, prefix)
    binding = call.settings["token_binding"]
    if binding != "none" and token.query != fingerprint(query):
        raise BadPageToken(parameter, text, "it was given out for another filter, order or resource")
    if binding == "query_and_size" and token.size != size:
        raise BadPageToken(parameter, text, f"it was given out for a page size of {token.size}, not {size}")
    return token


def living(call: Call, text: str, parameter: str, prefix: str = "") -> PageToken:
    """The token of a text, of this namespace and not too old. Raises BadPageToken."""
    if not text.startswith(prefix):
        raise BadPageToken(parameter, text, f"it does not begin with {prefix!r}")
    try:
        token = unseal(text[len(prefix) :], call.space.scenario.seed, call.vendor.id)
    except TokenError as error:
        raise BadPageToken(parameter, text, str(error)) from None
    if token.namespace != call.space.name:
        raise BadPageToken(parameter, text, f"it was given out in the namespace {token.namespace!r}")
    if token.until_ms and (late_ms := epoch_ms(call.entry.at) - token.until_ms) >= 0:
        raise BadPageToken(parameter, text, f"its time ended {late_ms / 1000:g} s of virtual time ago")
    return token
