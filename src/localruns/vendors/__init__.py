"""The emulated platforms, a folder each: data, parse, render, error table, credential check."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from localruns.engine.vendor import Vendor

IDS = ("alibaba-pai", "oracle-aidp", "naver-nsml", "palantir-foundry")


@cache
def all_vendors() -> dict[str, Vendor]:
    """Every vendor by its id, in the order of the documentation."""
    return {vendor: import_module(f"localruns.vendors.{vendor.replace('-', '_')}").VENDOR for vendor in IDS}
