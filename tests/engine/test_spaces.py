"""Namespaces: found by name or credential, gone after their time, limited in number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from localruns import clock
from localruns.engine.emulator import Emulator, Options
from localruns.engine.message import Request
from localruns.errors import ConfigError, Problem
from localruns.paths import cache_dir
from localruns.surfaces.http import App
from localruns.vendors import all_vendors


@pytest.fixture
def emulator(make_app: Callable[..., App]) -> Emulator:
    return make_app("quickstart").emulator


class Wall:
    """The wall clock, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr(clock, "wall_now", wall)
    return wall


def bearer(name: str) -> Request:
    return Request("GET", "/", "/", headers=(("authorization", f"Bearer localruns-token-{name}"),))


def test_a_namespace_holds_what_the_default_one_holds_unless_told_otherwise(emulator: Emulator) -> None:
    assert emulator.make_space("a").store is emulator.space("default").store
    assert emulator.make_space("b", emulator.store("empty")).scenario.name == "empty"


def test_snapshots_are_shared_by_all_that_hold_the_same_text(emulator: Emulator) -> None:
    one, other = emulator.store("empty"), emulator.store("empty")
    assert one is other
    text = one.snapshot.scenario.name
    assert text == "empty"


def test_names_are_made_up_and_pass_over_those_that_are_taken(emulator: Emulator) -> None:
    emulator.make_space("ns-1")
    assert [emulator.make_space().name for _ in range(2)] == ["ns-2", "ns-3"]
    emulator.spaces.remove("ns-3")
    assert emulator.make_space().name == "ns-4"


def test_a_name_that_is_taken_is_refused(emulator: Emulator) -> None:
    emulator.make_space("a")
    with pytest.raises(Problem, match="'a' already") as refused:
        emulator.make_space("a")
    assert refused.value.status == 409
    with pytest.raises(ConfigError, match="'a' already"):
        emulator.open_space("a", "empty")


def test_there_are_no_more_than_the_limit_allows() -> None:
    options = Options(cache=cache_dir(), max_namespaces=3)
    emulator = Emulator(all_vendors(), "quickstart", options)
    emulator.make_space("a")
    emulator.make_space("b")
    with pytest.raises(Problem, match="there are 3 namespaces") as refused:
        emulator.make_space("c")
    assert refused.value.status == 429
    emulator.spaces.remove("a")
    emulator.make_space("c")
    assert list(emulator.spaces) == ["default", "b", "c"]


def test_the_default_namespace_stays(emulator: Emulator) -> None:
    with pytest.raises(Problem, match="cannot be deleted") as refused:
        emulator.spaces.remove("default")
    assert refused.value.status == 409


def test_after_its_time_to_live_a_namespace_is_gone(emulator: Emulator, wall: Wall) -> None:
    emulator.make_space("short", ttl_s=5)
    emulator.make_space("long", ttl_s=50)
    wall.pass_(4.9)
    assert emulator.space("short").name == "short"
    wall.pass_(0.1)
    assert list(emulator.spaces) == ["default", "long"]
    with pytest.raises(Problem, match="'short' expired at 2026-01-01T00:00:05Z") as refused:
        emulator.space("short")
    assert refused.value.status == 404
    with pytest.raises(Problem, match="no namespace 'short', expected one of: default, long"):
        emulator.space("short")
    emulator.make_space("short")


def test_what_has_expired_makes_room_for_others(wall: Wall) -> None:
    emulator = Emulator(all_vendors(), "quickstart", Options(cache=cache_dir(), max_namespaces=2))
    emulator.make_space("a", ttl_s=1)
    wall.pass_(1)
    emulator.make_space("b")
    assert list(emulator.spaces) == ["default", "b"]


def test_the_virtual_clock_does_not_end_a_namespace(emulator: Emulator, wall: Wall) -> None:
    space = emulator.make_space("a", ttl_s=5)
    space.clock.advance(1_000_000)
    assert not space.expired


def test_a_credential_finds_its_namespace_until_that_is_gone(emulator: Emulator, wall: Wall) -> None:
    vendor = all_vendors()["palantir-foundry"]
    space = emulator.make_space("a", ttl_s=5)
    assert emulator.space_of(bearer("a"), None, vendor) is space
    assert emulator.space_of(bearer("b"), None, vendor).name == "default"
    assert emulator.space_of(bearer("a"), None, all_vendors()["naver-nsml"]).name == "default"
    assert emulator.space_of(bearer("a"), "default", vendor).name == "default"
    wall.pass_(5)
    assert emulator.space_of(bearer("a"), None, vendor).name == "default"
    emulator.spaces.remove(emulator.make_space("a").name)
    assert emulator.space_of(bearer("a"), None, vendor).name == "default"


def test_own_credentials_stand_in_the_place_of_the_well_known_and_keep_a_scenarios_marks(
    make_app: Callable[..., App],
) -> None:
    listed = [{"id": "LTAI5tLocalruns00000001", "secret": "x", "disabled": True}, {"id": "LTAI5tOther", "secret": "y"}]
    emulator = make_app(vendor="alibaba-pai", credentials=listed).emulator
    own, other = emulator.make_space("a").credentials("alibaba-pai")
    assert own == {"id": own["id"], "secret": "localruns-alibaba-secret-a", "disabled": True}
    assert own["id"] not in ("LTAI5tLocalruns00000001", emulator.make_space("b").credentials("alibaba-pai")[0]["id"])
    assert other == listed[1]


def test_own_credentials_survive_a_change_of_scenario(emulator: Emulator) -> None:
    space = emulator.make_space("a")
    before = {vendor: space.credentials(vendor) for vendor in space.states}
    space.load(emulator.store("empty"))
    assert {vendor: space.credentials(vendor) for vendor in space.states} == before


@pytest.mark.parametrize("vendor", all_vendors())
def test_each_well_known_credential_has_its_counterpart_of_the_same_shape(vendor: str) -> None:
    known, own = all_vendors()[vendor].credentials(), all_vendors()[vendor].own_credentials("some-name")
    assert [set(each) for each in own] == [set(each) for each in known]
    assert not {each["id"] for each in own} & {each["id"] for each in known}


def test_a_request_keeps_to_the_world_it_began_in(emulator: Emulator) -> None:
    space = emulator.make_space("a")
    pinned = space.pinned()
    space.load(emulator.store("empty"))
    assert (pinned.scenario.name, space.scenario.name) == ("quickstart", "empty")
    assert pinned.journal is not space.journal
    pinned.states["alibaba-pai"].number += 1
    assert space.states["alibaba-pai"].number == 0


def test_threads_that_make_and_delete_namespaces_do_not_get_in_each_others_way(emulator: Emulator) -> None:
    failed: list[Exception] = []

    def work(label: int) -> None:
        try:
            for turn in range(100):
                emulator.make_space(f"t{label}-{turn}")
                assert list(emulator.spaces)
                emulator.spaces.remove(f"t{label}-{turn}")
        except Exception as error:
            failed.append(error)

    threads = [Thread(target=work, args=(label,)) for label in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert list(emulator.spaces) == ["default"]
    assert not emulator.spaces._by_credential
