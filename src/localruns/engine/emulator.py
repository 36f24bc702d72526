"""The whole product without Flask and sockets: vendors, scenarios, namespaces, one answer per request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from localruns import clock
from localruns.engine import contract
from localruns.engine.call import Call
from localruns.engine.journal import MAX_BYTES, MAX_ENTRIES, Entry
from localruns.engine.message import Page, Reply, Request
from localruns.engine.namespace import Namespace
from localruns.engine.recorded.replaying import foreign, replay
from localruns.engine.recorded.store import RecordedStore
from localruns.engine.routing import Route, Router
from localruns.engine.shelf import Shelf
from localruns.engine.snapshot import Progress
from localruns.engine.spaces import DEFAULT, Spaces
from localruns.engine.steps import preferred
from localruns.engine.store import Store
from localruns.engine.terms import Terms, own_credentials
from localruns.engine.vendor import Vendor
from localruns.engine.waiting import NotNow
from localruns.errors import ApiError, ConfigError, EmulatorError, NotEmulated, Problem, Unrecorded

_log = logging.getLogger("localruns")


@dataclass(frozen=True, slots=True)
class Options:
    """How an emulator is set up.

    Shape: `vendors` limits which are served, empty means all; `admin_token` guards the control API, "" leaves it open;
    the limits of the journal hold for each namespace; `replay_delays`: recorded answers take as long as they took.
    """

    cache: Path
    scenario_dirs: Sequence[Path] = ()
    vendors: Sequence[str] = ()
    auth: str | None = None
    seed: int | None = None
    admin_token: str = ""
    journal_entries: int = MAX_ENTRIES
    journal_bytes: int = MAX_BYTES
    max_namespaces: int = 10_000
    progress: Progress = lambda rows, total: None
    replay_delays: bool = False


class Emulator:
    """Answers requests. `default` is the namespace of requests that name none."""

    def __init__(self, vendors: Mapping[str, Vendor], scenario: str | tuple[str, str], options: Options) -> None:
        self.all_vendors = vendors
        self.vendors = {key: value for key, value in vendors.items() if key in (options.vendors or vendors)}
        self.options = options
        self.shelf = Shelf(vendors, options.scenario_dirs, options.cache, options.seed, options.progress)
        self.library = self.shelf.library
        self.router = Router(self.vendors.values())
        self.listeners: list[Callable[[Namespace, Entry], None]] = []
        self.spaces = Spaces(options.max_namespaces)
        self.open_space(DEFAULT, scenario)

    def store(self, scenario: str | tuple[str, str]) -> Store:
        """The rows of a scenario by name or path, or of (text, label), shared by all namespaces. Raises ConfigError."""
        return self.shelf.named(scenario) if isinstance(scenario, str) else self.shelf.written(*scenario)

    def open_space(self, name: str, scenario: str | tuple[str, str]) -> Namespace:
        """A namespace of the command line, with the well-known credentials. Raises ConfigError for a name taken."""
        if name in self.spaces:
            raise ConfigError(f"there is a namespace {name!r} already, expected scenarios of different names")
        space = Namespace(name, self.store(scenario), self._terms())
        self.spaces.add(space)
        return space

    def make_space(
        self,
        name: str | None = None,
        store: Store | None = None,
        ttl_s: float | None = None,
        journal_entries: int | None = None,
        journal_bytes: int | None = None,
    ) -> Namespace:
        """A new namespace with credentials of its own; without a store it holds what the default one holds.

        Raises Problem for a name that is taken, and for too many.
        """
        name = name or self.spaces.free_name()
        terms = replace(
            self._terms(),
            own=own_credentials(self.all_vendors, name),
            expires=clock.wall_now() + timedelta(seconds=ttl_s) if ttl_s else None,
            journal_entries=journal_entries or self.options.journal_entries,
            journal_bytes=journal_bytes or self.options.journal_bytes,
        )
        space = Namespace(name, store or self.space(DEFAULT).store, terms)
        self.spaces.add(space)
        return space

    def _terms(self) -> Terms:
        options = self.options
        return Terms(
            options.auth,
            journal_entries=options.journal_entries,
            journal_bytes=options.journal_bytes,
            delays=options.replay_delays,
        )

    def space(self, name: str) -> Namespace:
        """The namespace of that name. Raises Problem 404."""
        return self.spaces.find(name)

    def space_of(self, request: Request, named: str | None, vendor: Vendor | None = None) -> Namespace:
        """The namespace a request belongs to: by path prefix, header, the credential it presents, else the default."""
        if name := named or request.header("x-localruns-namespace"):
            return self.space(name)
        return (vendor and self.spaces.presented(vendor, request)) or self.space(DEFAULT)

    def answer(self, request: Request, route: Route, named: str | None = None) -> tuple[Reply, Namespace, Entry]:
        """One request answered as the vendor would; a refusal is an answer too.

        Raises Problem 404 (namespace), and NotNow, whose `resume` gives what this would have given.
        """
        space = self.space_of(request, named, route.vendor).pinned()
        started = time.perf_counter()
        entry = space.journal.open(request, space.clock.now())
        entry.vendor = route.vendor.id
        entry.endpoint = route.endpoint.name if route.endpoint else ""
        entry.reply = self._reply(request, route, space, entry)
        entry.took_ms = (time.perf_counter() - started) * 1000
        space.journal.answered(entry)
        return entry.reply, space, entry

    def _resume(self, call: Call, route: Route) -> tuple[Reply, Namespace, Entry]:
        """What `answer` gives, for a request whose checks are made and whose answer was put off."""
        started, entry = time.perf_counter(), call.entry
        endpoint = route.endpoint and replace(route.endpoint, checks=())
        try:
            entry.reply = self._work(call, replace(route, endpoint=endpoint))
        except Exception as error:
            entry.reply = _last_resort(entry, error)
        entry.took_ms = (time.perf_counter() - started) * 1000
        call.space.journal.answered(entry)
        return entry.reply, call.space, entry

    def _reply(self, request: Request, route: Route, space: Namespace, entry: Entry) -> Reply:
        vendor = route.vendor
        try:
            if vendor.id not in space.states:
                held = ", ".join(space.states)
                words = f"the scenario {space.scenario.name!r} holds no data for {vendor.id}, only for {held}"
                raise NotEmulated(words)
            space.tick(vendor.id)
            state = space.states[vendor.id]
            state.number += 1
            call = Call(vendor, route.endpoint, request, space, entry, state.number, route.params)
            return self._work(call, route)
        except Exception as error:
            return _last_resort(entry, error)

    def _work(self, call: Call, route: Route) -> Reply:
        try:
            return contract.check(_answer(call, route))
        except NotNow as later:
            later.resume = partial(self._resume, call, route)
            raise
        except ApiError as refusal:
            call.entry.refusal = refusal.with_traceback(None)  # which would hold on to all that was at hand
            return contract.check(call.vendor.refuse(refusal, call))
        except EmulatorError:
            raise
        except Exception as error:
            _log.exception("defect while answering %s %s", call.request.method, call.request.path)
            call.entry.defect = f"{type(error).__name__}: {error}"
            return contract.check(call.vendor.refuse(ApiError(detail="a defect of localruns, see its log"), call))

    def elsewhere(self, space: Namespace, entry: Entry) -> Reply | None:
        """The recorded answer to a request of no vendor's path; None where the namespace holds no recording."""
        if not isinstance(space.store, RecordedStore) or self.options.vendors:
            return None
        try:
            return foreign(space, entry, space.store)
        except Unrecorded as error:
            return problem(error)

    def refuse(self, status: int, target: str, reason: str) -> Reply:
        """The answer to what the edge could not take as a request: in the shape of the vendor whose prefix it has."""
        path = "/" + target.partition("?")[0].lstrip("/")
        named, path = split_namespace(path)
        vendor = self.router.vendor_of(path)
        space = self.spaces.get(named or DEFAULT)
        if vendor is None or space is None or vendor.id not in space.states:
            return problem(Problem(status, "bad request", reason))
        space = space.pinned()
        code = vendor.errors.transport.get(status) or vendor.errors.kinds["server_error"]
        request = Request("", target[:2000], path[:2000])
        entry = space.journal.open(request, space.clock.now())
        entry.vendor, entry.refusal = vendor.id, ApiError(code=code, detail=reason)
        space.states[vendor.id].number += 1
        call = Call(vendor, None, request, space, entry, space.states[vendor.id].number)
        try:
            entry.reply = contract.check(vendor.refuse(entry.refusal, call))
        except Exception as error:
            entry.reply = _last_resort(entry, error)
        space.journal.answered(entry)
        self.sent(space, entry)
        return entry.reply

    def sent(self, space: Namespace, entry: Entry) -> None:
        """The answer is written: complete the entry, let the timeline move, tell who listens."""
        if entry.sent:
            return
        page = entry.page  # the journal may drop the rows of what is sent
        entry.sent, entry.answered_s = True, (now := time.monotonic())
        _settle(entry, page, now, space)
        if page is not None and not (entry.defect or entry.broken) and entry.vendor in space.states:
            space.delivered(entry.vendor, page, entry.page_number)
        for listener in self.listeners:
            listener(space, entry)


def _settle(entry: Entry, page: Page | None, answered_s: float, space: Namespace) -> None:
    """Tell the walk how and when its request ended; the ledger holds both from now on, as long as it can."""
    walk, visit = entry.walk, entry.visit
    if walk is None or visit is None or entry.reply is None:
        return
    entry.walk = entry.visit = None
    whole = page is not None and entry.refusal is None and not entry.defect
    visit.doubtful = entry.wire is not None and entry.wire.doubtful
    visit.status, visit.answered_s = entry.reply.status, answered_s
    if page is not None and whole and not entry.broken:
        visit.numbers = page.numbers
    space.walks.settle(walk, visit, "broken" if entry.broken else "whole" if whole else "refused")


def _answer(call: Call, route: Route) -> Reply:
    """The vendor's checks in the vendor's order, then its answer."""
    call = preferred(call)
    if isinstance(call.space.store, RecordedStore):
        return replay(call, route, call.space.store)
    if route.neighbour:
        raise NotEmulated(f"{call.vendor.title}: {route.neighbour.name} is a real operation, not emulated here")
    if route.endpoint is None:
        raise call.vendor.unknown(call.request, route.methods)
    for check in route.endpoint.checks:
        call = check(call)
    return route.endpoint.answer(call)


def _last_resort(entry: Entry, error: Exception) -> Reply:
    """Our limit, or a defect that the vendor's own 500 could not be made for: ours to say, told in the journal."""
    if not isinstance(error, EmulatorError):
        _log.error("defect while answering %s %s", entry.request.method, entry.request.path, exc_info=error)
        error = EmulatorError(f"{type(error).__name__}: {error}")
    entry.defect = str(error) if error.status == 500 else ""
    entry.note(str(error))
    return problem(error)


def problem(error: EmulatorError) -> Reply:
    """RFC 9457: what is ours to say, never in a vendor's shape."""
    content = {"type": "about:blank", "title": error.title, "status": error.status, "detail": str(error)}
    return Reply(error.status, content, "problem.json", content_type="application/problem+json")


def split_namespace(path: str) -> tuple[str | None, str]:
    """(`name`, `/rest`) of `/ns/name/rest`, else (None, path)."""
    if not path.startswith("/ns/"):
        return None, path
    name, slash, rest = path[4:].partition("/")
    return name, slash + rest.lstrip("/") if slash else "/"
