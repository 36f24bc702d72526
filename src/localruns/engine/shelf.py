"""Compiled scenarios, one store each, shared by all namespaces that point to them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

from localruns import yamlio
from localruns.engine.library import Library
from localruns.engine.snapshot import snapshot_of
from localruns.engine.store import Store
from localruns.engine.vendor import Vendor

KEPT = 64


class Shelf:
    """Finds and compiles scenarios; what has been compiled is found again by its file and text.

    A store is kept as long as a namespace points to it, the latest 64 also without one.
    """

    def __init__(
        self, vendors: Mapping[str, Vendor], folders: Sequence[Path], cache: Path, seed: int | None = None
    ) -> None:
        self.library = Library(folders)
        self._vendors = vendors
        self._cache = cache
        self._seed = seed
        self._lock = threading.Lock()
        self._stores: WeakValueDictionary[bytes, Store] = WeakValueDictionary()
        self._latest: OrderedDict[bytes, Store] = OrderedDict()

    def named(self, name: str) -> Store:
        """The scenario of a name or path. Raises ConfigError."""
        path = self.library.find(name)
        return self.written(yamlio.read_text(path), str(path), path)

    def written(self, text: str, label: str, path: Path | None = None) -> Store:
        """The scenario in `text`; `label` stands for its file in messages. Raises ConfigError, a line per problem."""
        key = sha256(f"{path or ''}\0{text}".encode("utf-8", "surrogatepass")).digest()
        store = self._stores.get(key)
        if store is None:
            store = Store(snapshot_of(text, label, self._vendors, self._cache, self._seed), path)
        with self._lock:
            store = self._stores.setdefault(key, store)
            self._latest[key] = store
            self._latest.move_to_end(key)
            while len(self._latest) > KEPT:
                self._latest.popitem(last=False)
        return store
