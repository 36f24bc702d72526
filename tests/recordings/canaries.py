"""More than forty secrets, each planted where real traffic carries one; none is real."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from localruns.engine.recorded.exchange import Exchange, reply_from, request_from

Headers = Sequence[tuple[str, str]]
Plant = Callable[[str, str], Exchange]
KNOWN = "redacted-0123456789abcdef"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkYXBobmUiLCJleHAiOjE3OTl9.c2lnbmF0dXJlLW9mLWRhcGhuZQ"
TOKEN = "q7Xv2LmN9pRt4KwZ8bYc3HsD6fGj1TaE"
ODD = 'pa"ss/w\\örd&+= 71'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\nggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"
_ACS = "ACS3-HMAC-SHA256 Credential={},SignedHeaders=host;x-acs-date,Signature={}"
_OCI = 'Signature algorithm="rsa-sha256",headers="date host",keyId="{}",signature="{}",version="1"'
_MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--b\r\n'
    'Content-Disposition: form-data; name="password"\r\n\r\n{}\r\n--b--\r\n'
)


@dataclass(frozen=True)
class Canary:
    """A secret and what carries it: `plant(here, known)`, `known` standing where it is plain that it is a secret."""

    name: str
    secret: str
    plant: Plant


def exchange(
    target: str = "/api/v1/runs?MaxResults=2",
    headers: Headers = (),
    body: Any = b"",
    answer: Any = None,
    back: Headers = (),
    status: int = 200,
) -> Exchange:
    """An exchange of these parts; what is no bytes is sent as JSON."""
    told = answer if isinstance(answer, bytes) else json.dumps({"runs": []} if answer is None else answer).encode()
    asked = body if isinstance(body, bytes) else json.dumps(body).encode()
    back = [("content-type", "application/json"), ("content-length", str(len(told))), *back]
    return Exchange(request_from("POST", target, headers, asked), reply_from(status, back, told), took_ms=1.5)


def b64(text: str) -> str:
    """Standard base64."""
    return base64.b64encode(text.encode()).decode()


def url64(text: str) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def ocid(kind: str) -> str:
    """An OCID of that kind."""
    return f"ocid1.{kind}.oc1..aaaaaaaa5kq7vhx2c3mzr4w6yt8nb1pd9se0gf"


def header(name: str, form: str = "{}") -> Plant:
    """In a header of the request."""
    return lambda here, known: exchange(headers=[(name, form.format(here))])


def back(name: str, form: str) -> Plant:
    """In a header of the answer."""
    return lambda here, known: exchange(back=[(name, form.format(here))])


def told(content: Callable[[str], Any], status: int = 200) -> Plant:
    """In the body of the answer."""
    return lambda here, known: exchange(answer=content(here), status=status)


def echoed(content: Callable[[str], Any]) -> Plant:
    """Sent as a bearer token, and told by the answer where nothing says what it is."""
    return lambda here, known: exchange(
        headers=[("authorization", f"Bearer {known}")], answer=content(here), status=400
    )


def form(text: str) -> Plant:
    """In a form."""
    kind = [("content-type", "application/x-www-form-urlencoded")]
    return lambda here, known: exchange("/multipass/api/oauth2/token", kind, text.format(quote_plus(here)).encode())


def target(text: str) -> Plant:
    """In path or query."""
    return lambda here, known: exchange(text.format(quote(here, safe="")))


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _string_to_sign(key: str) -> dict[str, str]:
    return {"Message": f"server string to sign is:GET\n/api/v1/runs\n\nx-acs-accesskey-id:{key}\nhost:h"}


def _multipart(here: str, known: str) -> Exchange:
    kind = [("content-type", "multipart/form-data; boundary=b")]
    return exchange(headers=kind, body=_MULTIPART.format(here).encode())


CANARIES = tuple(
    Canary(*parts)
    for parts in (
        ("bearer", TOKEN, header("authorization", "Bearer {}")),
        ("alibaba access key", "LTAI5tQ3xVh8WmZrK2bNcYpD", header("authorization", _ACS.format("{}", KNOWN))),
        ("alibaba signature", "9f86d081884c7d659a2feaa0c55ad015", header("authorization", _ACS.format(KNOWN, "{}"))),
        ("alibaba security token", "CAISvAJ1q6Ft5B2yfSjIr5fVA8Ph1Q", header("x-acs-security-token")),
        ("alibaba access key header", "STS.NTx4Vh8WmZrK2bNcYpDqL6s", header("x-acs-accesskey-id")),
        ("alibaba bearer header", "bt-2LmN9pRt4KwZ8bYc3HsD", header("x-acs-bearer-token")),
        ("alibaba older signature", "LTAI4Gq3xVh8WmZrK2bNcYpE", header("authorization", "acs {}:mBX1n1Dlv5GlnbOL")),
        ("oracle user", ocid("user"), header("authorization", _OCI.format("{}/" + KNOWN, KNOWN))),
        ("oracle tenancy", ocid("tenancy"), header("authorization", _OCI.format("{}/" + KNOWN, KNOWN))),
        ("oracle signature", "iys6mVS3QrRD5dokJLXUeNj8L4lY06YgYUwE", header("authorization", _OCI.format(KNOWN, "{}"))),
        ("oracle session token", "ST$eyJraWQiOiJhYmMifQ.x7Yz.q2", header("authorization", _OCI.format("{}", KNOWN))),
        ("oracle fingerprint", ":".join(["23", "c2"] * 8), header("authorization", _OCI.format(KNOWN + "/{}", KNOWN))),
        ("naver access key", "EMUACCESSKEY7Q3XVH8W", header("x-ncp-iam-access-key")),
        ("naver api key", "kZ8bYc3HsD6fGj1TaEq7Xv2LmN9pRt4K", header("x-ncp-apigw-api-key")),
        ("naver signature", "mBX1n1Dlv5GlnbOLEipj76b2w1Fd6x1mjrmQ=", header("x-ncp-apigw-signature-v2")),
        (
            "basic",
            "correct-horse-71",
            lambda here, _: exchange(headers=[("authorization", "Basic " + b64("a:" + here))]),
        ),
        ("cookie", "s%3Aq7Xv2LmN9pRt4KwZ", header("cookie", f"theme={KNOWN}; connect.sid={{}}")),
        ("set-cookie", "8bYc3HsD6fGj1TaE", back("set-cookie", "sid={}; Path=/; HttpOnly")),
        ("password in an address", "tiger71lily", back("location", "https://ann:{}@host/x")),
        ("query token", "ya-71-lmno-pqrs", target("/api/v1/runs?access_token={}&MaxResults=2")),
        ("query with odd characters", ODD, target("/api/v1/runs?password={}")),
        (
            "client secret in a form",
            "cs-4KwZ8bYc3HsD6f",
            form("grant_type=client_credentials&client_secret={}&scope=a"),
        ),
        ("refresh token in a form", "rt/9pRt+4KwZ8b==", form("grant_type=refresh_token&refresh_token={}")),
        ("access token", "at-6fGj1TaEq7Xv2L", told(lambda it: {"access_token": it, "token_type": "bearer"})),
        ("deep in an answer", "deep71secret", told(lambda it: {"a": [{"b": {"c": [[{"client_secret": it}]]}}]})),
        ("JSON within JSON", "inner71secret", told(lambda it: {"d": json.dumps({"m": json.dumps({"apiKey": it})})})),
        (
            "parameter of a run",
            "pk-3HsD6fGj1TaE",
            told(lambda it: {"Runs": [{"Params": [{"Key": "api_key", "Value": it}]}]}),
        ),
        ("parameter, value first", "pk-4KwZ8bYc3HsD", told(lambda it: {"p": [{"value": it, "name": "DB_PASSWORD"}]})),
        ("error message", TOKEN, echoed(lambda it: {"code": "NotAuthenticated", "message": f"token {it} is unknown"})),
        ("base64 in a message", TOKEN, echoed(lambda it: {"message": f"could not use {b64('ann:' + it)} here"})),
        ("base64 for URLs", TOKEN, echoed(lambda it: {"message": f"could not use {url64('x' + it)}"})),
        ("hex in a message", f"ghp_{TOKEN}Ab71", echoed(lambda it: {"message": f"got {it.encode().hex()}"})),
        ("percent-encoded in a message", f"ghp_{TOKEN}Ac71", echoed(lambda it: {"message": f"got {_percent(it)}"})),
        ("string to sign", "LTAI5tQ3xVh8WmZrK2bNcYpF", told(_string_to_sign, 400)),
        (
            "page token, plain",
            "LTAI5tQ3xVh8WmZrK2bNcYpH",
            told(lambda it: {"data": [], "nextPageToken": f"v1.{it}.20"}),
        ),
        (
            "page token, account in base64",
            "1557702098194911",
            told(lambda it: {"data": [], "nextPageToken": "v1." + url64(json.dumps({"o": 20, "ownerId": it}))}),
        ),
        ("page token, JWT", JWT, target("/api/v2/models/modelStudios/x/runs?pageToken={}")),
        ("JWT in a text", JWT, told(lambda it: {"log": f"sent {it} to the gateway"})),
        ("private key", PEM, told(lambda it: {"config": {"text": it}})),
        (
            "e-mail in a tag",
            "daphne.o@corp-mail.io",
            told(lambda it: {"tags": [{"key": "team", "value": f"ask {it}"}]}),
        ),
        ("e-mail in the query", "daphne+x@corp-mail.io", target("/api/v1/runs?Name={}")),
        ("e-mail in the path", "daphne.p@corp-mail.io", target("/api/v1/users/{}/runs")),
        ("alibaba owner", "1557702098194912", told(lambda it: {"Runs": [{"OwnerId": it}]})),
        ("account as a number", "204891057713860055", told(lambda it: {"projects": [{"userNo": int(it)}]})),
        (
            "account in a message",
            "1557702098194913",
            told(lambda it: {"Message": f"acs:ram::{it}:user/bob may not"}, 403),
        ),
        ("foundry user", "0d1c0c3e-6f0a-4b52-9a0e-0f5f6f1f2a77", told(lambda it: {"data": [{"startedBy": it}]})),
        ("naver member", "ncp-user-7100417", told(lambda it: {"runList": [{"creator": it}]})),
        ("oracle compartment", ocid("compartment"), told(lambda it: {"tags": [{"key": "at", "value": f"in {it}."}]})),
        (
            "github token",
            f"ghp_{TOKEN}Ad71",
            told(lambda it: {"params": [{"key": "remote", "value": f"git+https://x/{it}"}]}),
        ),
        ("slack token in plain text", "xoxb-710041-q7Xv2LmN9p", told(lambda it: f"posted with {it}\n".encode())),
        ("XML", "Xm9pRt4KwZ8bYc", told(lambda it: f"<A><AccessKeySecret>{it}</AccessKeySecret></A>".encode())),
        ("multipart", "mp71-lily", _multipart),
        (
            "signed address",
            "5f2b0c" * 10,
            told(lambda it: {"artifact_uri": f"https://b/p?X-Amz-Date=2&X-Amz-Signature={it}"}),
        ),
        (
            "bytes that are no text",
            "LTAI5tQ3xVh8WmZrK2bNcYpG",
            told(lambda it: b"\0\xff\xfe " + it.encode() + b" \x80\x81"),
        ),
        ("key of JSON", "daphne.q@corp-mail.io", told(lambda it: {"rights": {it: "read"}})),
        ("JSON cut short", "cut71secret", told(lambda it: f'{{"runs": [], "client_secret": "{it}", "mes'.encode())),
    )
)
