"""Compiled scenarios and recordings, one store each, shared by all namespaces that point to them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from weakref import WeakValueDictionary

from localruns import yamlio
from localruns.engine.library import Library
from localruns.engine.recorded.cassette import Cassette
from localruns.engine.recorded.recording import MAX_START_BYTES, begins_recording, is_recording
from localruns.engine.recorded.store import RecordedStore
from localruns.engine.snapshot import Progress, snapshot_of
from localruns.engine.store import Store
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError

KEPT = 64


class Shelf:
    """Finds and compiles scenarios, and loads recordings; what is there already is found again by its file and text.

    A store is kept as long as a namespace points to it, the latest 64 also without one.
    """

    def __init__(
        self,
        vendors: Mapping[str, Vendor],
        folders: Sequence[Path],
        cache: Path,
        seed: int | None = None,
        progress: Progress = lambda rows, total: None,
    ) -> None:
        self.library = Library(folders)
        self._vendors = vendors
        self._cache = cache
        self._seed = seed
        self._progress = progress
        self._lock = threading.Lock()
        self._stores: WeakValueDictionary[bytes, Store] = WeakValueDictionary()
        self._latest: OrderedDict[bytes, Store] = OrderedDict()

    def named(self, name: str) -> Store:
        """The scenario or recording of a name or path. Raises ConfigError."""
        path = self.library.find(name)
        if is_recording(path):
            return self._kept(f"{path}\0{_digest(path)}", lambda: self._recorded(Cassette.load(path), path))
        return self.written(yamlio.read_text(path), str(path), path)

    def written(self, text: str, label: str, path: Path | None = None) -> Store:
        """The scenario or recording in `text`; `label` stands for its file in messages.

        Raises ConfigError, a line per problem.
        """
        content = text.encode("utf-8", "surrogatepass")
        if begins_recording(content[:MAX_START_BYTES]):
            return self._kept(f"\0{text}", lambda: self._recorded(Cassette.load(Path(label), content), None))
        return self._kept(f"{path or ''}\0{text}", lambda: self._compiled(text, label, path))

    def _compiled(self, text: str, label: str, path: Path | None) -> Store:
        return Store(snapshot_of(text, label, self._vendors, self._cache, self._seed, self._progress), path)

    def _recorded(self, cassette: Cassette, path: Path | None) -> Store:
        store = RecordedStore(cassette, self._vendors, path)
        store.standing(0)  # the walks are followed here, where it may take time, and not for the first request
        return store

    def _kept(self, name: str, make: Callable[[], Store]) -> Store:
        """The store of that name, made when there is none yet."""
        key = sha256(name.encode("utf-8", "surrogatepass")).digest()
        store = self._stores.get(key)
        if store is None:
            store = make()
        with self._lock:
            store = self._stores.setdefault(key, store)
            self._latest[key] = store
            self._latest.move_to_end(key)
            while len(self._latest) > KEPT:
                self._latest.popitem(last=False)
        return store


def _digest(path: Path) -> str:
    """What tells one content of a file from another; a recording may be too large to be read as one text."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
