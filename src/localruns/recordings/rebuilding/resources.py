"""What exists at each vendor as the recorded exchanges show it: workspaces, platforms, experiments, studios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localruns.engine.recorded.exchange import json_of
from localruns.recordings.reading.recognising import Known
from localruns.recordings.rebuilding.seen import Seen
from localruns.vendors.oracle_aidp.access import CREATED_MS

Row = Mapping[str, Any]


class Resources:
    """Collects what exists at one vendor; `found()` as a scenario writes it, None where nothing showed."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._workspaces: dict[str, bool] = {}
        self._platforms: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self._studios: dict[str, set[int]] = {}

    def note(self, known: Known, seen: Seen) -> None:
        """Learn from one exchange."""
        learn = {"alibaba-pai": self._alibaba, "oracle-aidp": self._oracle, "palantir-foundry": self._foundry}
        if self._vendor in learn:
            learn[self._vendor](known, seen)

    def found(self) -> dict[str, Any] | None:
        """The resources; None leaves the well-known ones."""
        if self._workspaces:
            named: dict[str, Any] = {name: {} for name in self._workspaces}
            named.update({name: {"default": True} for name, default in self._workspaces.items() if default})
            return {"workspaces": named}
        if self._platforms:
            return {"platforms": {name: {"workspaces": _written(inner)} for name, inner in self._platforms.items()}}
        if self._studios:
            return {
                "studios": {
                    rid: {"config_versions": sorted(seen)} if seen else {} for rid, seen in self._studios.items()
                }
            }
        return None

    def _alibaba(self, known: Known, seen: Seen) -> None:
        asked = seen.asked.rest.get("WorkspaceId")
        if seen.good and asked:
            self._workspaces.setdefault(str(asked), False)
        for row in rows_of(known, seen):
            name = row.get("WorkspaceId")
            if not isinstance(name, str) or not name:
                continue
            # Asked for no workspace, the platform lists the caller's default one.
            default = not asked and not any(self._workspaces.values())
            self._workspaces[name] = self._workspaces.get(name, False) or default

    def _oracle(self, known: Known, seen: Seen) -> None:
        content = json_of(known.exchange.reply.body)
        if seen.status != 200 or seen.failed:
            return
        platform, workspace = known.params["aiDataPlatformId"], known.params["workspaceKey"]
        held = self._platforms.setdefault(platform, {}).setdefault(workspace, {})
        for row in rows_of(known, seen):
            info = row.get("info")
            if isinstance(info, dict) and isinstance(info.get("experiment_id"), str) and info["experiment_id"]:
                held.setdefault(info["experiment_id"], {})
        asked = seen.asked.rest.get("experiment_ids")
        for name in asked if isinstance(asked, list) else ():
            if isinstance(name, str) and name:
                held.setdefault(name, {})
        for experiment in _experiments(content):
            held[experiment["experiment_id"]] = experiment

    def _foundry(self, known: Known, seen: Seen) -> None:
        if not seen.listing or not seen.good:
            return
        held = self._studios.setdefault(known.params["modelStudioRid"], set())
        versions = [row.get("configVersion") for row in rows_of(known, seen)]
        asked = str(seen.asked.rest.get("configVersion", ""))
        versions += [int(asked)] if asked.isdecimal() else []
        held.update(version for version in versions if isinstance(version, int) and not isinstance(version, bool))


def rows_of(known: Known, seen: Seen) -> Sequence[Row]:
    """The rows of a good page, none otherwise."""
    told = known.vendor.traffic.told(known.exchange) if seen.good else None
    return told.rows if told else ()


def _experiments(content: Any) -> Iterator[dict[str, Any]]:
    """The experiments that an answer about experiments shows."""
    if not isinstance(content, dict):
        return
    listed = content.get("experiments")
    for item in [*(listed if isinstance(listed, list) else ()), content.get("experiment")]:
        if isinstance(item, dict) and isinstance(item.get("experiment_id"), str) and item["experiment_id"]:
            yield item


def _written(workspaces: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    return {key: {"experiments": [_experiment(*item) for item in held.items()]} for key, held in workspaces.items()}


def _experiment(name: str, shown: Mapping[str, Any]) -> str | dict[str, Any]:
    """An experiment as a scenario writes it: its id alone where the rest is what localruns says anyway."""
    written: dict[str, Any] = {"id": name}
    usual = {
        "name": f"experiment-{name}",
        "lifecycle_stage": "active",
        "artifact_location": f"mlflow-artifacts:/{name}",
    }
    for key, value in usual.items():
        if isinstance(shown.get(key), str) and shown[key] != value:
            written[key] = shown[key]
    if written.get("lifecycle_stage") not in (None, "active", "deleted"):
        del written["lifecycle_stage"]
    created, updated = _time(shown.get("creation_time")), _time(shown.get("last_update_time"))
    if created not in (None, CREATED_MS):
        written["creation_time"] = created
    if updated not in (None, CREATED_MS if created is None else created):
        written["last_update_time"] = updated
    if tags := _tags(shown.get("tags")):
        written["tags"] = tags
    return name if len(written) == 1 else written


def _time(shown: Any) -> int | None:
    """Milliseconds that a scenario can hold."""
    return shown if isinstance(shown, int) and not isinstance(shown, bool) and 0 <= shown < 2**63 else None


def _tags(shown: Any) -> list[dict[str, str]]:
    """The tags of an experiment as a scenario writes them; a tag without a value has an empty one."""
    tags = [item for item in shown if isinstance(item, dict)] if isinstance(shown, list) else []
    pairs = [(item.get("key"), item.get("value", "")) for item in tags]
    return [{"key": key, "value": value} for key, value in pairs if isinstance(key, str) and isinstance(value, str)]
