"""The torture catalogue: ways in which a list goes wrong page by page, each still a body that keeps its schema.

Each entry hooks into one or more moments of a page: it may refuse, change the page size, rearrange the rows, move the
slice, or change what the answer says about the next page. What happened before in the same walk is in `walk.memory`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from localruns.engine.call import Call
from localruns.engine.faults.armed import Fault
from localruns.engine.message import NO_ROWS, Page, Rows
from localruns.engine.tokens import fingerprint
from localruns.engine.vendor import Paging, Vendor
from localruns.engine.walks import Walk
from localruns.errors import KINDS, ApiError

DEFAULT_PAGE = 3
CLAMP_ROWS = 10
DRIFT_ROWS = (10, 7, 3)
STALE_ROWS = 10
LONG_TOKEN_CHARACTERS = 1_500
MAX_EXPIRIES = 3

TOKENS: tuple[Paging, ...] = ("text", "integer")
TOTALS: tuple[Paging, ...] = ("integer", "number")
ALL: tuple[Paging, ...] = ("text", "integer", "number")


@dataclass(frozen=True, slots=True)
class Strike:
    """A page fault that may act on this call; `armed` counts how often it did, `resized`: it changed the page size.

    Units: `at` is a page number.
    """

    fault: PageFault
    armed: Fault
    at: int
    call: Call
    walk: Walk
    resized: bool = False

    @property
    def here(self) -> bool:
        """Whether this is the page at which the fault acts."""
        return self.page == self.at

    @property
    def page(self) -> int:
        """The number of this page in its walk; an integer token tells only an offset, which short pages shift."""
        if "integer" not in self.call.vendor.paging or self.call.by_number:
            return self.call.page_number
        here = self.walk.last.place
        return 1 + len({visit.place for visit in self.walk.visits if visit.outcome == "whole" and visit.place < here})

    @property
    def offset(self) -> int:
        """The offset of that page. Units: rows."""
        return (self.at - 1) * self.call.cut.size

    @property
    def mark(self) -> str:
        """Under which the walk remembers this fault."""
        return f"{self.fault.name} at page {self.at}"

    def once(self) -> bool:
        """True the first time in this walk."""
        first = self.mark not in self.walk.memory
        self.walk.memory[self.mark] = True
        return first

    def refuse(self, kind: str, why: str, code: str = "") -> ApiError:
        """A refusal that says in the journal which fault it is."""
        table = self.call.vendor.errors
        error = ApiError(code=code or table.kinds[kind], injected=True, detail=f"page fault {self.fault.name}: {why}")
        error.kind = KINDS[kind].kind
        return error


@dataclass(frozen=True, slots=True)
class PageFault:
    """One entry of the catalogue. Shape: `paging` the ways of paging that can express it; hooks as described above."""

    name: str
    about: str
    good_client: str
    paging: tuple[Paging, ...]
    refuse: Callable[[Strike], ApiError | None] = lambda strike: None
    size: Callable[[Strike, int], int] = lambda strike, size: size
    order: Callable[[Strike, array[int]], array[int]] = lambda strike, order: order
    offset: Callable[[Strike, int, int], int] = lambda strike, offset, total: offset
    page: Callable[[Strike, Page], Page] = lambda strike, page: page


def why_not(vendor: Vendor, name: str, styles: Sequence[Paging] = ()) -> str:
    """Why a vendor's paging, or these ways of it, cannot express an entry; "" when it can."""
    fault, styles = CATALOGUE[name], styles or vendor.paging
    if name in vendor.cannot:
        return vendor.cannot[name]
    if not set(fault.paging) & set(styles):
        how, needed = (" or ".join(_IN_WORDS[one] for one in ways) for ways in (styles, fault.paging))
        return f"it pages by {how}, the entry needs {needed}"
    return ""


def misplaced(name: str, page: int) -> str:
    """Why an entry cannot be put at a page, `found ..., expected ...`; "" when it can."""
    if name not in EARLIEST:
        return f"found {page} beside {name}, which has no page of choice, expected no page"
    least = EARLIEST[name]
    return "" if page >= least else f"found {page} beside {name}, which needs a page before, expected {least} or more"


_IN_WORDS: Mapping[Paging, str] = {"text": "text tokens", "integer": "integer tokens", "number": "number"}


def _repeat_token(strike: Strike, page: Page) -> Page:
    return replace(page, leads_to=strike.call.cut.offset, token=strike.call.token or None) if strike.here else page


def _same_rows_offset(strike: Strike, offset: int, _total: int) -> int:
    return min(offset, strike.offset) if strike.page >= strike.at else offset


def _same_rows_page(strike: Strike, page: Page) -> Page:
    on = strike.call.cut.offset + strike.call.cut.size
    return replace(page, leads_to=on) if strike.page >= strike.at else page


def _last_offset(strike: Strike, total: int) -> int:
    return max(0, (total - 1) // strike.call.cut.size * strike.call.cut.size)


def _always_next_offset(strike: Strike, offset: int, total: int) -> int:
    return min(offset, _last_offset(strike, total))


def _always_next_page(strike: Strike, page: Page) -> Page:
    return page if page.next_offset else replace(page, leads_to=strike.call.cut.offset + strike.call.cut.size)


def _emptied(strike: Strike, page: Page) -> Page:
    if not strike.here or not page.rows or not strike.once():
        return page
    return replace(page, rows=NO_ROWS, keys=(), numbers=(), leads_to=strike.call.cut.offset, mark=1, again=True)


def _short_page(strike: Strike, page: Page) -> Page:
    half = len(page.rows) // 2
    if not strike.here or not half:
        return page
    rows, keys, numbers = Rows(page.rows[:half]), page.keys[:half], page.numbers[:half]
    return replace(page, rows=rows, keys=keys, numbers=numbers, leads_to=page.offset + half)


def _exact_boundary(_strike: Strike, page: Page) -> Page:
    full = len(page.rows) == page.size and not page.next_offset
    return replace(page, leads_to=page.offset + page.size) if full else page


def _empty_string(_strike: Strike, page: Page) -> Page:
    return page if page.next_offset else replace(page, token="")


def _token_expired(strike: Strike) -> ApiError | None:
    """Refused once: the walk that a client starts anew goes through."""
    previous = strike.call.space.walks.before(strike.walk)
    again = previous is not None and previous.memory.get(strike.mark)
    if not strike.here or again or not strike.once():
        return None
    why = f"the token that page {strike.at - 1} gave out has expired"
    return strike.refuse("bad_request", why, strike.call.vendor.errors.page_token)


def _token_bound(strike: Strike) -> ApiError | None:
    call, visit = strike.call, strike.walk.last
    if call.origin is not None:
        bound = (call.origin.query, call.origin.size) == (fingerprint(strike.walk.query), visit.size)
    else:
        # An offset carries nothing, so it holds when an answer to this query with this size has led to it.
        walks = call.space.walks.alike(strike.walk)
        bound = visit.first or any(walk.led_to(visit.place, visit.size) for walk in walks)
    if bound:
        return None
    why = "the token was given out for another filter or page size"
    return strike.refuse("bad_request", why, call.vendor.errors.page_token)


def _long_token(_strike: Strike, page: Page) -> Page:
    return replace(page, token_characters=LONG_TOKEN_CHARACTERS)


def _clamp(_strike: Strike, _size: int) -> int:
    return CLAMP_ROWS


def _drift(strike: Strike, size: int) -> int:
    return min(size, DRIFT_ROWS[(strike.page - 1) % len(DRIFT_ROWS)])


def _doubled(strike: Strike, order: array[int]) -> array[int]:
    """The last row of the page before stands in the list once more."""
    at = strike.offset
    return order[:at] + order[at - 1 : at] + order[at:] if 0 < at < len(order) else order


def _swapped(strike: Strike, order: array[int]) -> array[int]:
    """The two rows at the border change places, when the query's first sort key is the same for both."""
    at, store = strike.offset, strike.call.space.store
    if strike.page < strike.at or not 0 < at < len(order):
        return order
    if not store.tied(strike.walk.query, order[at - 1], order[at]):
        return order
    return order[: at - 1] + order[at : at + 1] + order[at - 1 : at] + order[at + 1 :]


def _no_total(_strike: Strike, page: Page) -> Page:
    return replace(page, total_shown=None)


def _stale_total(strike: Strike, page: Page) -> Page:
    return replace(page, total_shown=page.total + STALE_ROWS) if strike.here else page


def _error_mid_walk(strike: Strike) -> ApiError | None:
    if not strike.here or not strike.once():
        return None
    return strike.refuse("server_error", "once per walk")


def _auth_expiry(strike: Strike) -> ApiError | None:
    """Whoever presents what the walk began with is refused, three times at most."""
    memory = strike.walk.memory
    presented = strike.call.vendor.presented(strike.call.request)
    started, refused = memory.setdefault(strike.mark, (presented, 0))
    if strike.page < strike.at or presented != started or refused >= MAX_EXPIRIES:
        return None
    memory[strike.mark] = (started, refused + 1)
    return strike.refuse("unauthorized", f"the credential has expired, refusal {refused + 1} of {MAX_EXPIRIES}")


_WHOLE = "whole"
_ENTRIES = (
    PageFault("repeat_token", "page 3 answers with the token it was asked with", "stops with an error", TOKENS,
              page=_repeat_token),
    PageFault("fresh_token_same_rows", "from page 3 on the same rows come under ever new tokens",
              "stops when a page brings nothing new", TOKENS, offset=_same_rows_offset, page=_same_rows_page),
    PageFault("always_next", "the last page carries a fresh token that leads to the last page again, for ever",
              "whole; stops when a page brings nothing new", TOKENS, offset=_always_next_offset,
              page=_always_next_page),
    PageFault("empty_page_with_token", "page 3 is empty once per walk; its token leads to page 3's rows", _WHOLE,
              TOKENS, page=_emptied),
    PageFault("empty_first_page", "page 1 is empty once per walk; its token leads to page 1's rows", _WHOLE, ("text",),
              page=_emptied),
    PageFault("short_page", "page 3 holds half its rows, its token goes on after them", _WHOLE, TOKENS,
              page=_short_page),
    PageFault("exact_boundary_token", "the last full page carries a token to an empty last page", _WHOLE, TOKENS,
              page=_exact_boundary),
    PageFault("empty_string_token", "the last page carries an empty text as its token", _WHOLE, ("text",),
              page=_empty_string),
    PageFault("token_expired", "the token that page 2 gave out is refused once", "starts again; whole", TOKENS,
              refuse=_token_expired),
    PageFault("token_bound_to_filter", "a token with another filter or size is refused", "keeps its parameters; whole",
              TOKENS, refuse=_token_bound),
    PageFault("token_truncated", "tokens have 1,500 characters and end in ==; any change is refused", _WHOLE, ("text",),
              page=_long_token),
    PageFault("page_size_clamp", "10 rows are served whatever is asked", _WHOLE, ALL, size=_clamp),
    PageFault("page_size_drift", "pages have 10, 7, 3, 10, ... rows, never more than asked", _WHOLE, TOKENS,
              size=_drift),
    PageFault("dup_across_pages", "page 3 begins with page 2's last row", "keeps each row once", ALL, order=_doubled),
    PageFault("reorder_ties", "rows with equal sort keys swap between page 2 and 3",
              "cannot know; the ledger names missed and doubled rows", ALL, order=_swapped),
    PageFault("total_absent", "the total is missing", "does not rely on it; whole", TOTALS, page=_no_total),
    PageFault("total_stale", "the total is 10 too high on page 1", "does not rely on it; whole", TOTALS,
              page=_stale_total),
    PageFault("error_mid_walk", "page 3 fails once per walk", "retries; whole", ALL, refuse=_error_mid_walk),
    PageFault("auth_expiry_mid_walk", "from page 3 on the credential has expired until a new one is presented, three "
              "times at most", "refreshes; whole", ALL, refuse=_auth_expiry),
)  # fmt: skip

CATALOGUE: Mapping[str, PageFault] = {entry.name: entry for entry in _ENTRIES}
FIRST_PAGE = ("empty_first_page", "total_stale")
# The earliest page at which an entry can be put; the others are no matter of one page, or of the first only.
EARLIEST = {"fresh_token_same_rows": 1, "short_page": 1, "total_stale": 1, "error_mid_walk": 1,
            "auth_expiry_mid_walk": 1, "repeat_token": 2, "empty_page_with_token": 2, "token_expired": 2,
            "dup_across_pages": 2, "reorder_ties": 2}  # fmt: skip
