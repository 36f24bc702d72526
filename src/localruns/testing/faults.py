"""A fault that a test armed: how often it fired, and how to take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localruns.testing.handle import Handle

_ABOUT = ("refuse", "page_fault", "wire", "times", "retry_after_s")


class ArmedFault:
    """One fault in a test's namespace."""

    def __init__(self, handle: Handle, number: int) -> None:
        self._handle = handle
        self.id = number

    @property
    def fired(self) -> int:
        """How often it fired so far."""
        return int(self._told()["fired"])

    @property
    def used_up(self) -> bool:
        """Whether it has fired as often as it may."""
        return bool(self._told()["used_up"])

    def remove(self) -> None:
        """Take it away."""
        self._handle.call("DELETE", f"faults/{self.id}")

    def _told(self) -> dict[str, Any]:
        listed: list[dict[str, Any]] = self._handle.call("GET", "faults")["faults"]
        return next(fault for fault in listed if fault["id"] == self.id)


def spec_of(vendor: str, given: dict[str, Any]) -> dict[str, Any]:
    """A fault as a scenario writes it: `page=3, refuse="throttled"` with the triggers under `when`."""
    spec = {name: given[name] for name in _ABOUT if given.get(name) is not None}
    return {**spec, "when": {"vendor": vendor, **{name: value for name, value in given.items() if name not in _ABOUT}}}
