"""The scenario that `localruns new` writes: it holds, and its comments say what else could stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from localruns import schemas, yamlio
from localruns.engine.rows.compiler import Blocks
from localruns.engine.scenario import DEFAULT_CLOCK, interpret
from localruns.engine.source import SCHEMA, Source
from localruns.engine.vendor import Vendor
from localruns.errors import ConfigError
from localruns.paths import schemas_dir

_SEED = 7
_TEXT = """\
# yaml-language-server: $schema={schema}
# `#key:` and the lines below it that begin with a # are switched off: remove the # to switch them on.
scenario: {name}
about: Say here what it shows.
# Same seed, same bytes; another seed, other rows.
seed: {seed}
# Where virtual time starts; it ticks with real time.
#clock: {clock}
vendors:
  # {title}. Other vendors may stand beside it.
  {vendor}:
    # off: credentials are not looked at; present: they must be there; verify: they must hold.
    auth: present
    # Rules that the vendor's pages leave open, each with its default.
    #settings:
{settings}
    runs:
      # Rows drawn from the vendor's template; `set: {{FIELD: VALUE}}` puts fields in place of drawn ones.
      - {{generate: 24}}
      # A row of your own, in the vendor's field names: a row copied from a real answer will do.
{row}
# What breaks, and when. Here the second call is refused once, and a wait is asked for.
#faults:
#  - {{when: {{vendor: {vendor}, call: 2}}, times: 1, refuse: throttled, retry_after_s: 2}}
# How the data changes while a client walks. Here the row above goes once page 1 has been sent.
#timeline:
#  - {{vendor: {vendor}, after: {{page: 1}}, delete: [{key}]}}
"""


def starter(name: str, vendor: Vendor) -> str:
    """The text of a new scenario. Raises ConfigError for a name that no scenario can have."""
    wanted = schemas.bundled(SCHEMA)["properties"]["scenario"]
    if not re.search(wanted["pattern"], name) or len(name) > wanted["maxLength"]:
        words = f"lower-case letters, digits, '.', '_' and '-', {wanted['maxLength']} at most"
        raise ConfigError(f"NAME is {name!r}, expected {words}, a letter or digit first")
    row = _row(vendor)
    return _TEXT.format(
        schema=(schemas_dir() / SCHEMA).as_posix(),
        name=yamlio.dump([name])[2:-1],
        seed=_SEED,
        clock=DEFAULT_CLOCK,
        title=vendor.title,
        vendor=vendor.id,
        settings="\n".join(f"    #  {line}" for line in _settings(vendor)),
        row="\n".join(f"      {line}" for line in yamlio.dump([row]).splitlines()),
        key=yamlio.dump([vendor.rows.key(row)])[2:-1],
    )


def _row(vendor: Vendor) -> Mapping[str, Any]:
    """A row with the fields that the vendor requires."""
    source = Source(yamlio.dump({"scenario": "new", "seed": _SEED, "vendors": {vendor.id: {}}}), "new")
    blocks = Blocks(source, interpret(source, {vendor.id: vendor}), vendor)
    return next(blocks.block([{}], (), "new", "")).rows[0]


def _settings(vendor: Vendor) -> Iterator[str]:
    """Each setting with its default, below what it is about."""
    for name, schema in schemas.bundled(f"{vendor.id}/scenario.json")["properties"]["settings"]["properties"].items():
        yield f"# {schema['description']}"
        yield f"{yamlio.dump({name: schema['default']})}".rstrip()
