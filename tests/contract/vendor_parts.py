"""What each vendor's requests are made of: parameters, filters, bodies, tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.contract.pieces import JOINTS, KEYS, OPERATORS, RAW_BODIES, TIMES, VALUES
from tests.contract.strategies import COMMON, Parts, edited, headers, numbers, query, words


@st.composite
def filters(draw: st.DrawFn) -> str:
    """A search filter out of pieces of the grammar, some of them in the wrong place."""
    clauses = []
    for _ in range(draw(st.integers(0, 4))):
        space = draw(st.sampled_from([" ", " ", " ", "", "  ", "\t"]))
        parts = (draw(st.sampled_from(each)) for each in (KEYS, OPERATORS, VALUES))
        clauses.append(space.join(parts))
    text = draw(st.sampled_from([*[" AND "] * 6, *JOINTS])).join(clauses)
    return draw(st.one_of(st.just(text), st.just(text), edited(text), st.just(text * 50)))


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.sampled_from([2**63, -(2**63), 2**200, 1e308, 0, ""]),
)
json_values = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)


def _members(good: dict[str, st.SearchStrategy[Any]], odd: bool) -> st.SearchStrategy[dict[str, Any]]:
    """A JSON object out of known members; `odd`: with values of any kind, and unknown ones."""
    known = [st.tuples(st.just(name), st.one_of(value, json_values) if odd else value) for name, value in good.items()]
    return st.lists(st.one_of(*known, *([st.tuples(words, json_values)] if odd else [])), max_size=4).map(dict)


def oracle(tokens: list[str]) -> Parts:
    """`tokens` are page tokens that were given out."""
    directions = st.sampled_from(["", "ASC", "desc", "DESC NULLS LAST", "x"])
    order = st.builds("{}{}{}".format, st.sampled_from(KEYS), st.sampled_from(["", " ", "  "]), directions)
    members = {
        "experiment_ids": st.lists(st.sampled_from(["1", "2", "3", "", "1" * 300]), max_size=3),
        "filter": filters(),
        "max_results": st.one_of(st.integers(1, 40), numbers, st.sampled_from([1.0, 2.5, -1, 0, 50001, True])),
        "order_by": st.lists(order, max_size=3),
        "page_token": st.sampled_from(tokens).flatmap(edited),
        "run_view_type": st.sampled_from(["ACTIVE_ONLY", "DELETED_ONLY", "ALL", "active_only", 1]),
        "view_type": st.sampled_from(["ACTIVE_ONLY", "DELETED_ONLY", "ALL", ""]),
    }
    good = {
        "experiment_id": st.sampled_from(["1", "2", "9"]),
        "experiment_name": st.sampled_from(["experiment-1", "x"]),
    }
    schemes = ["Basic bG9jYWxydW5zOng=", "Basic !", "Bearer", 'Signature keyId="a"', "Signature "]
    more = {
        **COMMON,
        "opc-request-id": st.sampled_from(["A-1_b", "", "\xe9", "x" * 1001, "a b"]),
        "Authorization": st.sampled_from(schemes),
    }

    def body(odd: bool) -> st.SearchStrategy[bytes]:
        plain = _members(members, odd).map(lambda given: json.dumps({"experiment_ids": ["1"], **given}).encode())
        return st.one_of(plain, st.sampled_from(RAW_BODIES), st.binary(max_size=30)) if odd else plain

    return {
        "query": lambda odd: query(good, odd=odd),
        "headers": lambda odd: headers("oracle-aidp", more, odd),
        "body": body,
    }


def alibaba(_tokens: list[str]) -> Parts:
    """Fifteen parameters, two ways of paging."""
    sort = st.sampled_from(["GmtCreateTime", "Name", "name", "RunId", ""])
    directions = st.sampled_from(["", "ASC", "desc", "x", "ASC ASC"])
    item = st.builds("{}{}{}".format, sort, st.sampled_from(["", " ", "  "]), directions)
    labels = st.sampled_from(["a:b", "a", ":b", "a:", "a:b:c", " a : b ", "", "é:ü"])
    good = {
        **dict.fromkeys(("Name", "WorkspaceId", "ExperimentId", "SourceType", "SourceId"), words),
        "Labels": st.lists(labels, max_size=4).map(",".join),
        "Verbose": st.sampled_from(["true", "True", "FALSE", "1", "yes", ""]),
        "GmtCreateTime": st.sampled_from(TIMES),
        "OrderBy": st.lists(item, max_size=4).map(",".join),
        "SortBy": sort,
        "Order": st.sampled_from(["ASC", "desc", "up", ""]),
        **dict.fromkeys(("PageToken", "MaxResults", "PageNumber", "PageSize"), numbers),
    }
    acs = st.builds(
        "{} Credential={},SignedHeaders={},Signature={}".format,
        st.sampled_from(["ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "acs", ""]),
        st.sampled_from(["LTAI5tLocalruns00000001", "x", "", "a,b", "\xe9"]),
        st.sampled_from(["host;x-acs-date;x-acs-version", "", ";;", "host", "HOST", "x-odd"]),
        st.sampled_from(["00", "", "f" * 64, "g"]),
    )
    more = {
        **COMMON,
        "Authorization": st.one_of(acs, acs, st.just("acs key:sig")),
        "x-acs-version": st.sampled_from(["2021-02-04", "2019-01-01", ""]),
        "x-acs-date": st.sampled_from([time for time in TIMES if time.isascii()]),
        "x-acs-signature-type": st.sampled_from(["BEARERTOKEN", "bearertoken", "x"]),
        "x-acs-bearer-token": st.sampled_from(["x", "", "\xff"]),
        "x-acs-security-token": st.sampled_from(["x", ""]),
        "x-acs-content-sha256": st.sampled_from(["", "UNSIGNED-PAYLOAD", "e3b0"]),
        "x-acs-signature-nonce": st.sampled_from(["n", ""]),
        "x-acs-action": st.sampled_from(["ListRuns", "x"]),
        "Host": st.sampled_from(["a.b", "", "\xff"]),
    }
    bearer = [("x-acs-signature-type", "BEARERTOKEN"), ("x-acs-bearer-token", "x")]
    return {
        "query": lambda odd: query(good, odd=odd),
        "headers": lambda odd: st.one_of(headers("alibaba-pai", more, odd), *([st.just(bearer)] if odd else [])),
        "body": lambda odd: st.binary(max_size=10),
    }


def naver(_tokens: list[str]) -> Parts:
    """Two parameters and many headers."""
    odd_values = st.sampled_from(["", " ", "0", "9" * 19, "-1", "\xff", "1.5", "=="])
    names = ("apigw-timestamp", "iam-access-key", "apigw-api-key", "apigw-signature-v1", "apigw-signature-v2")
    more = {**COMMON, **{f"x-ncp-{name}": odd_values for name in names}}
    return {
        "query": lambda odd: query(dict.fromkeys(("page", "pageSize", "pagesize"), numbers), odd=odd),
        "headers": lambda odd: headers("naver-nsml", more, odd),
        "body": lambda odd: st.binary(max_size=10),
    }


def foundry(tokens: list[str]) -> Parts:
    """`tokens`: a page token, then OAuth tokens."""
    good = {
        "configVersion": st.one_of(st.sampled_from(["1", "2", "3", "4"]), numbers),
        "pageSize": numbers,
        "pageToken": st.sampled_from(tokens[:1]).flatmap(edited),
    }
    odd_good = {**good, "preview": st.sampled_from(["true", "TRUE", "false", "1", ""])}
    rids = st.lists(st.sampled_from(["ri.a..b.c", "ri.a.b.c.d", "x", "", " ri.a..b.c"]), max_size=3).map(",".join)
    bearer = st.sampled_from(["localruns-token", *tokens[1:]]).flatmap(edited).map("Bearer {}".format)
    client = base64.b64encode(b"localruns-client:localruns-foundry-secret").decode()
    basic = st.sampled_from([f"Basic {client}", "Basic !", "Basic /w==", "Basic "])
    more = {**COMMON, "attribution": rids, "Authorization": st.one_of(bearer, bearer, basic)}
    form = {
        "grant_type": st.sampled_from(["client_credentials", "refresh_token", "authorization_code", "password", ""]),
        "client_id": st.sampled_from(["localruns-client", "x", "", "é"]),
        "client_secret": st.sampled_from(["localruns-foundry-secret", "x", ""]),
        "scope": st.sampled_from(["offline_access", "api:models-read offline_access", "", "x"]),
        "refresh_token": st.sampled_from(tokens[1:]).flatmap(edited),
        "token": st.sampled_from(tokens[1:]).flatmap(edited),
    }
    always = [("grant_type", "client_credentials"), ("client_id", "localruns-client"), ("client_secret", "x")]

    def body(odd: bool) -> st.SearchStrategy[bytes]:
        plain = query(form, always if odd else [], odd).map(lambda text: text.encode("latin-1"))
        most = query({"token": form["token"], "scope": form["scope"]}, always, odd=False).map(str.encode)
        return st.one_of(plain, st.binary(max_size=30)) if odd else st.one_of(plain, most)

    return {
        "query": lambda odd: query(odd_good if odd else good, [("preview", "true")], odd),
        "headers": lambda odd: headers("palantir-foundry", more, odd),
        "body": body,
    }


PARTS: dict[str, Callable[[list[str]], Parts]] = {
    "alibaba-pai": alibaba,
    "oracle-aidp": oracle,
    "naver-nsml": naver,
    "palantir-foundry": foundry,
}
