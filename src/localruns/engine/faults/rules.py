"""What a fault must keep to, in a scenario and at run time: names that exist, and triggers that can come true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localruns import schemas
from localruns.engine.faults.armed import KINDS_OF_FAULT
from localruns.engine.faults.pages import CATALOGUE, misplaced, why_not
from localruns.engine.vendor import Vendor

Breach = tuple[tuple[str, ...], str]
Spec = Mapping[str, Any]


def breaches(fault: Spec, vendors: Mapping[str, Vendor], held: Sequence[str]) -> Iterator[Breach]:
    """(key path inside the fault, `found ..., expected ...`) of each breach; `held` are the vendors with data."""
    when = fault["when"]
    if when["vendor"] not in held:
        listed = ", ".join(held)
        yield ("when", "vendor"), f"found {when['vendor']!r}, which has no data here, expected one of: {listed}"
        return
    vendor = vendors[when["vendor"]]
    kinds = [kind for kind in KINDS_OF_FAULT if kind in fault]
    if len(kinds) != 1:
        yield (), f"found {' and '.join(kinds) or 'neither'}, expected one of: {', '.join(KINDS_OF_FAULT)}"
        return
    yield from _names(fault, vendor)
    yield from _wire(fault.get("wire", {}))
    if "retry_after_s" in fault and "refuse" not in fault:
        yield ("retry_after_s",), f"found it beside {kinds[0]}, expected it with refuse only"
    if reason := never(when):
        yield ("when",), f"found triggers that can never all hold: {reason}"


def never(when: Spec) -> str:
    """Why the triggers exclude each other; "" when they do not."""
    low, high = when.get("calls", (1, 2**63))
    call, every = when.get("call"), when.get("every", 1)
    if low > high:
        return f"calls {when['calls']}, expected the first call's number before the last's"
    if call is not None and not low <= call <= high:
        return f"call {call} is not among the calls {low} to {high}"
    if call is not None and call % every:
        return f"call {call} is not one of each {every}"
    if low + (-low % every) > high:
        return f"none of the calls {low} to {high} is one of each {every}"
    return ""


def shadowed(fault: Spec, earlier: Sequence[Spec]) -> int | None:
    """The position of an earlier refusal that always strikes first, or None; what is refused meets wire faults too."""
    if "wire" in fault:
        return None
    for index, other in enumerate(earlier):
        always = "refuse" in other and "times" not in other
        if always and other["when"].items() <= fault["when"].items():
            return index
    return None


def _wire(spec: Spec) -> Iterator[Breach]:
    """Parts of a wire fault that leave no room for each other."""
    latency = spec.get("latency_ms")
    if isinstance(latency, Mapping) and "uniform" in latency and latency["uniform"][0] > latency["uniform"][1]:
        yield ("wire", "latency_ms", "uniform"), f"found {latency['uniform']}, expected the lower number first"
    if "dribble" in spec and "bandwidth_bytes_per_s" in spec:
        yield ("wire", "dribble"), "found it beside bandwidth_bytes_per_s, expected one of them"
    if "empty_reply" in spec and (idle := sorted(spec.keys() - {"empty_reply", "latency_ms"})):
        yield ("wire", "empty_reply"), f"found it beside {', '.join(idle)}, of which nothing would be seen"


def _names(fault: Spec, vendor: Vendor) -> Iterator[Breach]:
    known = {
        ("refuse",): (fault.get("refuse"), [*vendor.errors.kinds, *vendor.errors.by_code]),
        ("page_fault",): (fault.get("page_fault"), list(CATALOGUE)),
        ("when", "operation"): (fault["when"].get("operation"), [part.name for part in vendor.endpoints]),
    }
    for path, (name, names) in known.items():
        if name is not None and name not in names:
            listed = ", ".join(dict.fromkeys(names))
            yield path, f"found {name!r}{schemas.near(name, names)}, expected one of: {listed}"
    name = fault.get("page_fault")
    if name is not None and name in CATALOGUE and (reason := why_not(vendor, name)):
        yield ("page_fault",), f"found {name!r}, which {vendor.id} cannot express: {reason}"
    page = fault["when"].get("page")
    if name in CATALOGUE and page is not None and (reason := misplaced(name, page)):
        yield ("when", "page"), reason
