"""The snapshot cache: built once, never half, never out of date, and not needed."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from localruns import yamlio
from localruns.engine import snapshot
from localruns.engine.query import Cut, Query
from localruns.engine.rows import building
from localruns.engine.snapshot import Snapshot, load_snapshot
from localruns.engine.store import Store
from localruns.errors import ConfigError
from localruns.vendors import all_vendors

ALL = Query("alibaba-pai", "", (), ())


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(yamlio.dump({"scenario": "x", "vendors": {"alibaba-pai": {"runs": [{"generate": 300}]}}}), "utf-8")
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is built from here on."""
    names: list[str] = []
    build = building.build

    def counted(text: str, name: str, *rest: object) -> object:
        names.append(name)
        return build(text, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "build", counted)
    return names


def load(path: Path, cache: Path, seed: int | None = None) -> Snapshot:
    return load_snapshot(path, all_vendors(), cache, seed)


def keys(found: Snapshot) -> list[str]:
    return list(Store(found).page(ALL, 0, Cut(0, 1000), "verbose").keys)


def test_a_snapshot_is_built_once_and_found_again(scenario: Path, cache: Path, builds: list[str]) -> None:
    one, two = load(scenario, cache), load(scenario, cache)
    assert builds == [str(scenario)]
    assert (one.key, one.uri) == (two.key, two.uri)
    assert len(keys(two)) == 300
    assert one.scenario.as_json() == two.scenario.as_json()
    assert [path.suffix for path in cache.iterdir()] == [".sqlite"]


def test_another_text_seed_template_or_schema_is_another_snapshot(
    scenario: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [load(scenario, cache).key, load(scenario, cache, seed=5).key]
    text = scenario.read_text("utf-8")
    scenario.write_text(text + "# a word\n", "utf-8")
    found.append(load(scenario, cache).key)
    scenario.write_text(text, "utf-8")
    for folder in ("fixtures_dir", "schemas_dir"):
        copy = tmp_path / folder
        shutil.copytree(getattr(snapshot, folder)(), copy)
        monkeypatch.setattr(snapshot, folder, lambda copy=copy: copy)
        assert load(scenario, cache).key == found[0]
        file = copy / ("alibaba-pai/template.yaml" if folder == "fixtures_dir" else "scenario.schema.json")
        file.write_bytes(file.read_bytes() + b"\n")
        found.append(load(scenario, cache).key)
        file.write_bytes(file.read_bytes()[:-1])
    monkeypatch.setattr(snapshot, "FORMAT", 99)
    found.append(load(scenario, cache).key)
    assert len(set(found)) == 6


def test_the_release_of_faker_counts_only_where_faker_may_draw(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def both() -> list[str]:
        return [snapshot._key(text, None, all_vendors()) for text in ("plain", "faker: name")]

    before = both()
    monkeypatch.setattr(snapshot, "faker_version", lambda: "0.0.1")
    after = both()
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("kept", [0, 10, 1000, 5000, -4096, -1])
def test_a_cut_file_is_built_anew(scenario: Path, cache: Path, builds: list[str], kept: int) -> None:
    whole = keys(load(scenario, cache))
    (place,) = cache.glob("*.sqlite")
    place.write_bytes(place.read_bytes()[:kept])
    assert keys(load(scenario, cache)) == whole
    assert len(builds) == 2
    assert keys(load(scenario, cache)) == whole
    assert len(builds) == 2


@pytest.mark.parametrize("raw", [b"no database", b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 8192])
def test_garbage_in_its_place_is_built_anew(
    scenario: Path, cache: Path, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    whole = keys(load(scenario, cache))
    (place,) = cache.glob("*.sqlite")
    place.write_bytes(raw)
    assert keys(load(scenario, cache)) == whole
    assert [record.getMessage() for record in caplog.records] == [f"{place}: unreadable snapshot, built anew"]


@pytest.mark.parametrize(
    "sql", ["DROP TABLE meta", "DELETE FROM meta", "UPDATE meta SET value = '[]'", "UPDATE meta SET value = '{'"]
)
def test_a_database_of_another_shape_is_built_anew(scenario: Path, cache: Path, builds: list[str], sql: str) -> None:
    load(scenario, cache)
    (place,) = cache.glob("*.sqlite")
    with sqlite3.connect(place) as connection:
        connection.execute(sql)
    connection.close()
    assert len(keys(load(scenario, cache))) == 300
    assert len(builds) == 2


def one_warning(caplog: pytest.LogCaptureFixture, cache: Path) -> None:
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.startswith(f"{cache}: no cache there (")
    assert said.endswith("), snapshots are built in memory")


def test_a_cache_below_a_file_costs_one_warning(
    scenario: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    cache = tmp_path / "file" / "cache"
    found = load(scenario, cache)
    assert len(keys(found)) == 300
    assert keys(load(scenario, cache)) == keys(found)
    one_warning(caplog, cache)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_costs_one_warning(scenario: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache.mkdir()
    cache.chmod(0o500)
    assert len(keys(load(scenario, cache))) == 300
    one_warning(caplog, cache)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_while_writing_costs_one_warning_and_leaves_nothing(
    scenario: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    assert len(keys(load(scenario, cache))) == 300
    assert list(cache.iterdir()) == []
    one_warning(caplog, cache)


def test_more_than_memory_should_hold_is_refused_in_words(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(snapshot, "MAX_MEMORY_PAGES", 20)
    with pytest.raises(ConfigError) as refused:
        load(scenario, tmp_path / "file" / "cache")
    assert refused.value.problems == (
        f"{scenario}: found more rows than are kept in memory (database or disk is full), "
        "expected a cache folder that can be written and has room for them",
    )


def test_a_snapshot_in_memory_serves_several_threads(scenario: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    (tmp_path / "file").write_text("", "utf-8")
    store = Store(load(scenario, tmp_path / "file" / "cache"))
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda start: store.page(ALL, 0, Cut(start, 7), "brief").keys, range(280)))
    assert len({key for page in pages for key in page}) == 286


def test_a_bad_scenario_leaves_nothing_behind(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("scenario: x\nvendors: {alibaba-pai: {runs: [{RunId: 5}]}}\n", "utf-8")
    with pytest.raises(ConfigError):
        load(path, cache)
    assert list(cache.iterdir()) == []


def test_a_crash_before_the_rename_leaves_nothing_half(
    scenario: Path, cache: Path, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(Crash()))
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Crash):
            load(scenario, cache)
    assert [path.suffix for path in cache.iterdir()] == [".part"]
    assert len(keys(load(scenario, cache))) == 300
    assert len(builds) == 2


def test_abandoned_parts_are_swept_and_fresh_ones_are_not(scenario: Path, cache: Path) -> None:
    cache.mkdir()
    for name, age_s in (("old.part", 7200), ("fresh.part", 10)):
        (cache / name).write_text("", "utf-8")
        os.utime(cache / name, (time.time() - age_s,) * 2)
    load(scenario, cache)
    assert sorted(path.name for path in cache.glob("*.part")) == ["fresh.part"]


def test_the_least_recently_used_snapshots_give_way(
    scenario: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, kept = load(scenario, cache, seed=1), load(scenario, cache, seed=2)
    for found, age_s in ((old, 50), (kept, 100)):
        os.utime(cache / f"{found.key}.sqlite", (time.time() - age_s,) * 2)
    size = (cache / f"{kept.key}.sqlite").stat().st_size
    load(scenario, cache, seed=2)
    monkeypatch.setattr(snapshot, "MAX_CACHE_BYTES", int(size * 2.5))
    new = load(scenario, cache, seed=3)
    assert {path.stem for path in cache.iterdir()} == {kept.key, new.key}
    monkeypatch.setattr(snapshot, "MAX_CACHE_BYTES", 1)
    last = load(scenario, cache, seed=4)
    assert {path.stem for path in cache.iterdir()} == {last.key}
    assert len(keys(last)) == 300


def test_two_processes_may_build_the_same_at_once(scenario: Path, cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from localruns.engine.snapshot import load_snapshot;"
        "from localruns.vendors import all_vendors; vendors = all_vendors(); print(flush=True); sys.stdin.readline();"
        "print(load_snapshot(Path(sys.argv[1]), vendors, Path(sys.argv[2])).key)"
    )
    run = [sys.executable, "-c", code, str(scenario), str(cache)]
    both = [subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1] == load(scenario, cache).key
    assert [path.name for path in cache.iterdir()] == [f"{said[0]}.sqlite"]
