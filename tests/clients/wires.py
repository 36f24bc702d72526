"""Four real HTTP clients behind one call, each with its own way of saying what went wrong on the wire."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpcore  # noqa: F401 - httpx imports it late, and a test run inside a test would forget it again
import httpx
import requests
import urllib3

PATIENCE_S = 20.0


class CurlError(Exception):
    """curl's exit code."""

    def __init__(self, code: int, errors: str) -> None:
        super().__init__(code, errors)
        self.code = code


@dataclass(frozen=True)
class Got:
    """An answer that a client took for whole. Shape: `kind` is its Content-Type."""

    status: int
    kind: str
    text: str

    @property
    def rows(self) -> int:
        """How many runs are in it; the body must be JSON."""
        return len(json.loads(self.text)["Runs"])


Fetch = Callable[[str, dict[str, str], float], Got]


def by_requests(url: str, headers: dict[str, str], timeout_s: float = PATIENCE_S) -> Got:
    answer = requests.get(url, headers=headers, timeout=timeout_s)
    return Got(answer.status_code, answer.headers["Content-Type"], answer.text)


def by_httpx(url: str, headers: dict[str, str], timeout_s: float = PATIENCE_S) -> Got:
    answer = httpx.get(url, headers=headers, timeout=timeout_s)
    return Got(answer.status_code, answer.headers["Content-Type"], answer.text)


def by_urllib3(url: str, headers: dict[str, str], timeout_s: float = PATIENCE_S) -> Got:
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request("GET", url, headers=headers, timeout=timeout_s)
        return Got(answer.status, answer.headers["Content-Type"], answer.data.decode("utf-8", "replace"))


def by_curl(url: str, headers: dict[str, str], timeout_s: float = PATIENCE_S) -> Got:
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    shown = "\n%{http_code}\n%{content_type}"
    done = subprocess.run(
        ["curl", "-q", "-sS", "--compressed", "--max-time", str(timeout_s), "-w", shown, *given, url],
        capture_output=True, timeout=PATIENCE_S + 10, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CurlError(done.returncode, done.stderr.decode())
    text, status, kind = done.stdout.decode("utf-8", "replace").rsplit("\n", 2)
    return Got(int(status), kind, text)


CLIENTS: dict[str, Fetch] = {"requests": by_requests, "httpx": by_httpx, "urllib3": by_urllib3, "curl": by_curl}


def failure(client: str, url: str, headers: dict[str, str], timeout_s: float = PATIENCE_S) -> Any:
    """The class of what the client raises, or curl's exit code; None when it took the answer."""
    try:
        CLIENTS[client](url, headers, timeout_s)
    except CurlError as error:
        return error.code
    except (requests.RequestException, httpx.HTTPError, urllib3.exceptions.HTTPError) as error:
        return type(error)
    return None


class Wired:
    """Takes what a pager hands to Werkzeug's test client over a real connection, a new one each time."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, query_string: dict[str, str], headers: dict[str, str]) -> requests.Response:
        return requests.get(self._url + path, params=query_string, headers=headers, timeout=PATIENCE_S)

    def post(self, path: str, data: str, headers: dict[str, str]) -> requests.Response:
        return requests.post(self._url + path, data=data, headers=headers, timeout=PATIENCE_S)
