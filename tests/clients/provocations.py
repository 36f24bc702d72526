"""One real request for each error that a platform sends of itself: the tests send it, the documentation shows it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from localruns.vendors import all_vendors
from tests.clients.pagers import SEARCH, STUDIO

KEY, SECRET = "LTAI5tLocalruns00000001", "localruns-alibaba-secret"
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_SIGNED = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")
_RUNS = f"/api/v2/models/modelStudios/{STUDIO}/runs"
_TOKEN = "/multipass/api/oauth2/token"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": None}
_LONG = "x" * 70_000
_CLIENT = "client_id=localruns-client&client_secret="


@dataclass(frozen=True)
class Ordinary:
    """A request of a vendor that is answered with a page. Shape: `credential` is the index of the well-known one."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str = ""
    credential: int = 0


ORDINARY = {
    "alibaba-pai": Ordinary(
        "GET", "/api/v1/runs", "", {"Authorization": f"ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders=,Signature="}
    ),
    "oracle-aidp": Ordinary(
        "POST",
        SEARCH,
        "",
        {"Authorization": "Bearer localruns-token", "Content-Type": "application/json"},
        '{"experiment_ids": ["1"]}',
        credential=1,
    ),
    "naver-nsml": Ordinary(
        "GET",
        "/nsml/v1/projects/runs",
        "",
        {
            "x-ncp-apigw-timestamp": "1",
            "x-ncp-iam-access-key": "LOCALRUNSACCESSKEY01",
            "x-ncp-apigw-api-key": "LOCALRUNSAPIKEY0001",
            "x-ncp-apigw-signature-v2": "any",
        },
    ),
    "palantir-foundry": Ordinary("GET", _RUNS, "preview=true", {"Authorization": "Bearer localruns-token"}),
}


@dataclass(frozen=True)
class Provocation:
    """What is different from the ordinary request, and what the scenario says.

    Shape: None leaves a part as it is; a header of None is left out; `mark` is added to the credential that the request
    presents; `signed` requests carry all that Alibaba wants signed, `secret` makes the signature good; `times` they are
    sent; `limited` allows one call a minute; `words` stand in the documentation for what is too long for it.
    """

    vendor: str
    code: str
    method: str | None = None
    path: str | None = None
    query: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: str | None = None
    auth: str = "present"
    mark: Mapping[str, Any] = field(default_factory=dict)
    signed: str = ""
    secret: str = ""
    times: int = 1
    limited: bool = False
    words: str = ""

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario that it is sent to."""
        known = all_vendors()[self.vendor].credentials()[ORDINARY[self.vendor].credential]
        own = [{**known, **self.mark}] if self.mark else []
        site = {"auth": self.auth, "credentials": own, "runs": [{"generate": 1}]}
        limit = {"rate_limit": {self.vendor: {"calls": 1, "per_s": 60}}} if self.limited else {}
        return {"scenario": "provoked", "vendors": {self.vendor: site}, **limit}

    def send(self, url: str) -> tuple[int, str]:
        """(status, body) of the last answer."""
        usual = ORDINARY[self.vendor]
        query = usual.query if self.query is None else self.query
        target = (self.path or usual.path) + (f"?{query}" if query else "")
        host = urlsplit(url).netloc
        given: dict[str, str | None] = {**usual.headers, **self._signature(host), **self.headers}
        headers = {name: value for name, value in given.items() if value is not None}
        body = usual.body if self.body is None else self.body
        for _ in range(self.times):
            connection = HTTPConnection(host, timeout=20)
            try:
                connection.request(self.method or usual.method, target, body or None, headers)
                answer = connection.getresponse()
                found = answer.status, answer.read().decode()
            finally:
                connection.close()
        return found

    def _signature(self, host: str) -> dict[str, str]:
        """**Source**: the published rules of ACS3-HMAC-SHA256."""
        if not self.signed:
            return {}
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        values = dict(zip(_SIGNED, (host, "ListRuns", _EMPTY_HASH, date, "nonce-1", "2021-02-04"), strict=True))
        lines = "".join(f"{name}:{value}\n" for name, value in values.items())
        canonical = f"GET\n/api/v1/runs\n\n{lines}\n{';'.join(_SIGNED)}\n{_EMPTY_HASH}".encode()
        text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical).hexdigest()}"
        signature = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        del values["host"]
        named = f"Credential={self.signed},SignedHeaders={';'.join(_SIGNED)},Signature={signature}"
        return {**values, "Authorization": f"ACS3-HMAC-SHA256 {named}"}

    @property
    def how(self) -> str:
        """The difference in words, for the documentation."""
        return ("mode verify: " if self.auth == "verify" else "") + ", ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.mark:
            yield "a credential with " + ", ".join(f"`{name}: {_yaml(value)}`" for name, value in self.mark.items())
        if self.words:
            yield self.words
            return
        if self.method or self.path:
            yield f"`{self.method or ORDINARY[self.vendor].method} {(self.path or '...').replace(STUDIO, 'RID')}`"
        if self.query:
            yield f"`?{self.query}`"
        for name, value in self.headers.items():
            if self.path != _TOKEN:
                yield f"without `{name}`" if value is None else f"`{name}: {value}`"
        if self.body is not None:
            yield f"body `{self.body}`" if self.body else "no body"


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _alibaba(code: str, **rest: Any) -> Provocation:
    return Provocation("alibaba-pai", code, **rest)


def _signed(code: str, **rest: Any) -> Provocation:
    return Provocation("alibaba-pai", code, **{"auth": "verify", "signed": KEY, "secret": SECRET, **rest})


def _oracle(code: str, **rest: Any) -> Provocation:
    return Provocation("oracle-aidp", code, **rest)


def _naver(code: str, **rest: Any) -> Provocation:
    return Provocation("naver-nsml", code, **rest)


def _foundry(code: str, **rest: Any) -> Provocation:
    return Provocation("palantir-foundry", code, **rest)


def _token(code: str, body: str, auth: str = "present") -> Provocation:
    return _foundry(code, method="POST", path=_TOKEN, query="", headers=_FORM, body=body, auth=auth)


_OFTEN: dict[str, Any] = {"limited": True, "times": 2, "words": "a `rate_limit` of one call, two calls"}
_PAST = {"expires": "2026-01-01T00:00:00Z"}
_NAMELESS = {"x-acs-signature-type": "BEARERTOKEN", "x-acs-bearer-token": "nobody", "Authorization": None}

PROVOCATIONS = (
    _alibaba("InvalidParameter", query="MaxResults=0"),
    _alibaba("MissingAccessKeyId", headers={"Authorization": None}),
    _alibaba("IncompleteSignature", headers={"Authorization": "acs KEY:SIGNATURE"}),
    _signed("InvalidAccessKeyId.NotFound", signed="nobody", words="signed with a key of no credential"),
    _alibaba("InvalidAccessKeyId.Inactive", mark={"disabled": True}),
    _alibaba("InvalidSecurityToken.Expired", mark=_PAST),
    _signed("MissingSecurityToken", mark={"token": "sts"}, words="without `x-acs-security-token`"),
    _signed("InvalidSecurityToken.MismatchWithAccessKey", headers={"x-acs-security-token": "other"}),
    _alibaba("InvalidSecurityToken.Malformed", auth="verify", headers=_NAMELESS),
    _signed("InvalidTimeStamp.Format", headers={"x-acs-date": "today"}),
    _signed("InvalidTimeStamp.Expired", headers={"x-acs-date": "2020-01-01T00:00:00Z"}),
    _signed("SignatureDoesNotMatch", secret="another", words="signed with another secret"),
    _signed("SignatureNonceUsed", times=2, words="the same signed request twice"),
    _alibaba("InvalidVersion", headers={"x-acs-version": "2015-01-01"}),
    _alibaba("NoPermission", mark={"allow": False}),
    _alibaba("InvalidApi.NotFound", path="/api/v1/nothing"),
    _alibaba("RequestEntityTooLarge", query=f"Name={_LONG}", words="a URL of 70,000 characters"),
    _alibaba("Throttling.User", **_OFTEN),
    _oracle("InvalidParameter", body='{"max_results": 0}'),
    _oracle("CannotParseRequest", body="{"),
    _oracle("MissingParameter", body=""),
    _oracle("NotAuthenticated", headers={"Authorization": None}),
    _oracle("NotAuthorized", mark={"allow": False}),
    _oracle("NotAuthorizedOrNotFound", path=SEARCH.replace("default", "none"), words="workspace `none`"),
    _oracle("NotFound", path="/20260430/nothing"),
    _oracle("MethodNotAllowed", method="DELETE"),
    _oracle("RequestEntityTooLarge", query=_LONG, words="a URL of 70,000 characters"),
    _oracle("TooManyRequests", **_OFTEN),
    _naver("100", query="page=%FF"),
    _naver("200", headers={"x-ncp-apigw-signature-v2": None}),
    _naver("210", mark={"subscribed": False}),
    _naver("300", path="/nsml/v1/nothing"),
    _naver("430", query=_LONG, words="a URL of 70,000 characters"),
    _naver("420", **_OFTEN),
    _naver("nsml-400", query="pageSize=0"),
    _naver("nsml-403", mark={"allow": False}),
    _naver("nsml-406", headers={"Accept": "text/html"}),
    _foundry("Default:InvalidArgument", query="configVersion=x&preview=true"),
    _foundry("ApiFeaturePreviewUsageOnly", query="preview=false"),
    _foundry("InvalidPageSize", query="pageSize=0&preview=true"),
    _foundry("InvalidPageToken", query="pageToken=v1.x&preview=true"),
    _foundry("InvalidAttributionHeader", headers={"attribution": "me"}),
    _foundry("MissingCredentials", headers={"Authorization": None}),
    _foundry("Conjure:MalformedCredentials", headers={"Authorization": "token localruns-token"}),
    _foundry("Default:Unauthorized", auth="verify", headers={"Authorization": "Bearer nobody"}),
    _foundry("ApiUsageDenied", auth="verify", mark={"scopes": []}),
    _foundry("Default:PermissionDenied", mark={"allow": False}),
    _foundry("ModelStudioNotFound", path=_RUNS.replace(STUDIO, "ri.models.main.model-studio.none")),
    _foundry("ModelStudioConfigVersionNotFound", query="configVersion=9&preview=true"),
    _foundry("Default:RequestEntityTooLarge", headers={"Content-Length": str(4 * 1024 * 1024 + 1)}),
    _foundry("EndpointNotFound", path="/api/v2/nothing"),
    _foundry("UriTooLong", query=f"preview=true&x={_LONG}", words="a URL of 70,000 characters"),
    _foundry("HeadersTooLarge", headers={"x-long": _LONG}, words="a header of 70,000 characters"),
    _foundry("TooManyRequests", **_OFTEN),
    _token("invalid_request", "client_id=x&client_secret=y"),
    _token("unsupported_grant_type", "grant_type=password"),
    _token("invalid_grant", f"grant_type=refresh_token&refresh_token=x&{_CLIENT}localruns-foundry-secret", "verify"),
    _token("invalid_client", "grant_type=client_credentials"),
)
