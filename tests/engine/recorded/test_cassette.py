"""Which recorded answer fits a request, in what order answers come, and what a miss says."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from localruns.engine.message import Request
from localruns.engine.recorded.cassette import Cassette, Miss
from localruns.engine.recorded.exchange import Exchange, Headers, reply_from, request_from
from localruns.engine.recorded.matching import is_open
from localruns.engine.recorded.recording import MATCH_ON, Head
from localruns.placeholders import stand_in

FORM = [("content-type", "application/x-www-form-urlencoded")]


def ask(target: str, method: str = "GET", body: bytes = b"", headers: Headers = ()) -> Request:
    return request_from(method, target, headers, body)


def cassette(*asked: Request | str, match_on: tuple[str, ...] = MATCH_ON, replay: str = "by_content") -> Cassette:
    """Exchange i answers with the body `i`, counted from 0."""
    requests = [ask(each) if isinstance(each, str) else each for each in asked]
    exchanges = [Exchange(request, reply_from(200, body=b"%d" % at)) for at, request in enumerate(requests)]
    return Cassette(Head("test", match_on=match_on, replay=replay), exchanges)


def answers(held: Cassette, *asked: Request | str) -> list[str]:
    """The bodies of the answers to requests of one client; `miss` for those without."""
    plays = held.plays()
    found = [held.find(ask(each) if isinstance(each, str) else each, plays) for each in asked]
    return ["miss" if isinstance(each, Miss) else each.reply.body.decode() for each in found]


def missed(held: Cassette, request: Request | str) -> str:
    found = held.find(ask(request) if isinstance(request, str) else request, held.plays())
    assert isinstance(found, Miss)
    return found.words


def test_pairs_of_a_query_may_stand_in_any_order() -> None:
    held = cassette("/runs?a=1&b=2&a=3")
    assert answers(held, "/runs?b=2&a=3&a=1", "/runs?a=1&a=3&b=%32") == ["0", "0"]
    assert answers(held, "/runs?a=1&b=2", "/runs?a=1&b=2&a=3&a=3", "/runs?a=1&b=2&a=3&c=") == ["miss"] * 3


def test_a_blank_value_counts() -> None:
    held = cassette("/runs?a=")
    assert answers(held, "/runs?a", "/runs?a=", "/runs", "/runs?a=&b=") == ["0", "0", "miss", "miss"]


def test_an_encoded_slash_is_no_slash() -> None:
    held = cassette("/projects/a%2Fb", "/projects/%61")
    assert answers(held, "/projects/a%2fb", "/projects/a/b", "/projects/a") == ["0", "miss", "1"]
    miss = held.find(ask("/projects/a/b"), held.plays())
    assert "path: found /projects/a/b, expected /projects/a%2Fb" in miss.words


def test_a_json_body_is_compared_field_by_field() -> None:
    held = cassette(ask("/s", "POST", b'{"a": [1, {"b": null}], "c": "x"}'))
    same = [b'{"c":"x","a":[1,{"b":null}]}', b'\n{"a":[1,\t{"b":null}],"c":"\\u0078"}']
    other = [
        b'{"a":[{"b":null},1],"c":"x"}',
        b'{"a":[1,{"b":false}],"c":"x"}',
        b'{"a":["1",{"b":null}],"c":"x"}',
        b"x",
        b"",
    ]
    assert answers(held, *(ask("/s", "POST", body) for body in same)) == ["0", "0"]
    assert answers(held, *(ask("/s", "POST", body) for body in other)) == ["miss"] * len(other)


@pytest.mark.parametrize("number", ["1e400", "12345678901234567890123", "0.1000000000000000055511151231257827", "1.0"])
def test_a_number_is_never_rounded(number: str) -> None:
    held = cassette(ask("/s", "POST", f'{{"n":{number}}}'.encode()))
    assert answers(held, ask("/s", "POST", f'{{"n":{number}}}'.encode())) == ["0"]
    assert answers(held, ask("/s", "POST", f'{{"n":{number}1}}'.encode())) == ["miss"]


def test_empty_objects_lists_and_texts_differ() -> None:
    bodies = [
        b"{}",
        b"[]",
        b'{"a":{}}',
        b'{"a":[]}',
        b'{"a":"{}"}',
        b'{"a":""}',
        b'{"a":[{}]}',
        b'{"a.b":1}',
        b'{"a":{"b":1}}',
    ]
    held = cassette(*(ask("/s", "POST", body) for body in bodies))
    assert answers(held, *(ask("/s", "POST", body) for body in bodies)) == [str(at) for at in range(len(bodies))]


def test_a_form_is_compared_pair_by_pair() -> None:
    held = cassette(ask("/token", "POST", b"grant_type=refresh&scope=a+b", FORM))
    assert answers(held, ask("/token", "POST", b"scope=a%20b&grant_type=refresh", FORM)) == ["0"]
    assert answers(held, ask("/token", "POST", b"scope=a&grant_type=refresh", FORM)) == ["miss"]


def test_any_other_body_is_compared_as_bytes() -> None:
    deep = b"[" * 100_000
    held = cassette(ask("/s", "POST", b"\xff\x00"), ask("/s", "POST", b'{"a": 1'), ask("/s", "POST", deep))
    asked = (b"\xff\x00", b'{"a": 1', deep, b'{"a":1', deep + b"[")
    assert answers(held, *(ask("/s", "POST", body) for body in asked)) == ["0", "1", "2", "miss", "miss"]


def test_headers_and_credentials_take_no_part() -> None:
    signed = "/runs?a=1&AccessKeyId=AK1&Signature=abc&SignatureNonce=1&Timestamp=2026-01-01&access_token=t1"
    held = cassette(ask(signed, headers=[("host", "one.example"), ("authorization", "Bearer one")]))
    other = "/runs?SignatureNonce=2&Timestamp=2027-01-01&Signature=def&a=1&AccessKeyId=AK2"
    assert answers(held, ask(other, headers=[("host", "two.example")])) == ["0"]
    token = cassette(ask("/token", "POST", b"grant_type=x&client_id=a&client_secret=b", FORM))
    assert answers(token, ask("/token", "POST", b"grant_type=x&client_id=c&client_secret=d", FORM)) == ["0"]


def test_a_timestamp_without_a_signature_is_data_like_any_other() -> None:
    assert answers(cassette("/runs?timestamp=1"), "/runs?timestamp=2") == ["miss"]


def test_match_on_says_what_counts() -> None:
    page = cassette("/runs?page=1&trace=x", match_on=("path", "query.page"))
    assert answers(page, "/runs?page=1&trace=y", ask("/runs?page=1", "POST"), "/runs?page=2", "/runs") == [
        "0",
        "0",
        "miss",
        "miss",
    ]
    body = cassette(ask("/s", "POST", b'{"f":{"x":[1,2]},"t":5}'), match_on=("body.f.x",))
    assert answers(body, ask("/other", "PUT", b'{"f":{"x":[1,2],"y":0}}'), ask("/s", "POST", b'{"f":{"x":[1]}}')) == [
        "0",
        "miss",
    ]
    header = cassette(ask("/s", headers=[("x-run", "a")]), match_on=("header.X-Run",))
    assert answers(header, ask("/s", headers=[("X-Run", "a")]), ask("/s", headers=[("x-run", "b")]), ask("/s")) == [
        "0",
        "miss",
        "miss",
    ]
    assert answers(cassette("/runs?Signature=a", match_on=("query.Signature",)), "/runs?Signature=b") == ["miss"]


def test_equal_requests_are_answered_in_their_recorded_order_and_the_last_stays() -> None:
    held = cassette("/a", "/b", "/a", "/b", "/a")
    assert answers(held, "/a", "/a", "/b", "/a", "/a", "/a", "/b", "/b") == ["0", "2", "1", "4", "4", "4", "3", "3"]


def test_in_order_a_request_is_held_against_the_next_exchange_only() -> None:
    held = cassette("/a", "/b", "/a", replay="in_order")
    assert answers(held, "/a", "/a", "/b", "/b", "/a", "/a") == ["0", "miss", "1", "miss", "2", "miss"]


def test_each_client_has_plays_of_its_own() -> None:
    held = cassette("/a", "/a", "/b")
    one, other = held.plays(), held.plays()
    assert held.take(held.key(ask("/a")), one) == 0
    assert held.take(held.key(ask("/a")), one) == 1
    assert held.take(held.key(ask("/a")), other) == 0
    assert (held.unplayed(one), held.unplayed(other), held.unplayed(held.plays())) == ([2], [1, 2], [0, 1, 2])


def test_a_miss_names_the_nearest_request_and_what_differs() -> None:
    held = cassette("/runs?size=10&page=1", "/runs?size=10&page=2&filter=x", "/other?size=5")
    assert missed(held, "/runs?size=10&page=3&filter=x") == (
        "no recorded request equals this one, the nearest is exchange 2, GET /runs?size=10&page=2&filter=x: "
        "query parameter page: found '3', expected '2'"
    )
    assert "exchange 1, GET /runs?size=10&page=1: query parameter page: found none, expected '1'" in missed(
        held, "/runs?size=10"
    )
    assert missed(held, "/othr?size=5").endswith("exchange 3, GET /other?size=5: path: found /othr, expected /other")


def test_a_miss_names_the_field_of_a_body() -> None:
    held = cassette(ask("/s", "POST", b'{"ids": ["1"], "max_results": 5}'))
    words = missed(held, ask("/s", "POST", b'{"ids": ["2"], "order_by": []}'))
    assert words.endswith(
        'body field ids[0]: found "2", expected "1"; body field max_results: found none, expected 5; '
        "body field order_by: found [], expected none"
    )


def test_a_miss_in_order_says_whose_turn_it_is() -> None:
    held = cassette("/a", "/b", replay="in_order")
    assert (
        missed(held, "/b")
        == "it is not its turn, the next is exchange 1, GET /a: path: found /b, expected /a; it equals exchange 2"
    )
    assert answers(held, "/a", "/b", "/b")[-1] == "miss"
    plays = held.plays()
    for target in ("/a", "/b"):
        held.find(ask(target), plays)
    assert held.find(ask("/b"), plays) == Miss(
        "all 2 exchanges have been played, in order, and this is one request more"
    )


def test_a_miss_is_short_whatever_was_asked() -> None:
    held = cassette("/runs?" + "&".join(f"p{at}={'x' * 500}" for at in range(50)))
    words = missed(held, "/runs?" + "&".join(f"p{at}={'y' * 500}" for at in range(50)))
    assert len(words) < 1_500
    assert words.endswith("and 45 more")


def test_a_miss_shows_no_credential() -> None:
    assert "hunter2" not in missed(cassette("/runs?page=1&access_token=a"), "/runs?page=2&access_token=hunter2")


def test_an_empty_recording_misses_everything() -> None:
    assert missed(cassette(), "/") == "the recording holds no exchanges"


def test_threads_share_the_plays_of_a_namespace() -> None:
    held = cassette(*["/a"] * 400)
    plays, found = held.plays(), list[Any]()
    threads = [
        threading.Thread(target=lambda: found.extend(held.take(held.key(ask("/a")), plays) for _ in range(50)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(found) == Counter(range(400))


def test_a_placeholder_stands_for_any_value_and_always_for_the_same() -> None:
    one, two = (stand_in(name, b"key") for name in ("ann@corp.com", "bob@corp.com"))
    held = cassette(
        f"/runs?owner={one}&p=1", f"/runs?owner={two}&p=1", f"/runs?owner={one}&p=2", f"/runs?owner={two}&p=2"
    )
    asked = ["/runs?owner=ann&p=1", "/runs?owner=bob&p=1", "/runs?owner=bob&p=2", "/runs?owner=ann&p=2"]
    assert answers(held, *asked) == ["0", "1", "3", "2"]
    assert answers(held, *reversed(asked)) == ["2", "3", "1", "0"]
    assert answers(held, f"/runs?owner={two}&p=1", "/runs?owner=ann&p=3", "/runs?owner=ann") == ["1", "miss", "miss"]
    assert answers(held, "/runs?owner=ann&p=1", "/runs?owner=cat&p=2", "/runs?owner=dan&p=1") == ["0", "3", "miss"]


@pytest.mark.parametrize(
    ("secret", "asked", "other"),
    [
        ("204891057713860022", "/runs?user={}", "/runs?user={}x&more=1"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "/runs/{}/x", "/runs/{}/y"),
        ("ocid1.tenancy.oc1..aaaa", "/platforms/{}", "/platforms/ocid1.user.oc1..bbbb"),
        ("ann@corp.com", "/runs?filter=owner+%3D+'{}'+and+x", "/runs?filter=owner+%3D+'{}'+and+y"),
    ],
)
def test_what_stands_around_a_placeholder_still_counts(secret: str, asked: str, other: str) -> None:
    held = cassette(asked.format(stand_in(secret, b"key")))
    assert answers(held, asked.format(secret), other.format(secret)) == ["0", "miss"]


def test_placeholders_in_bodies_and_in_order() -> None:
    body = b'{"filter": "user = \'%s\'", "n": 1}'
    held = cassette(ask("/s", "POST", body % stand_in("ann@corp.com", b"key").encode()), "/a", replay="in_order")
    assert answers(held, ask("/s", "POST", body % b"ann@corp.com"), "/a") == ["0", "1"]
    assert answers(held, ask("/s", "POST", body.replace(b"1", b"2") % b"ann@corp.com")) == ["miss"]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
BODIES = st.binary(max_size=20) | JSON.map(lambda content: json.dumps(content).encode())
PATHS = st.lists(st.from_regex(r"[a-z%.~-]{1,5}", fullmatch=True), min_size=1, max_size=4).map(
    lambda steps: "/" + "/".join(steps)
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    query = urlencode(draw(PAIRS))
    method = draw(st.sampled_from(["GET", "POST", "PUT"]))
    headers = draw(st.sampled_from([[], FORM, [("content-type", "application/json")]]))
    return ask(draw(PATHS) + (f"?{query}" if query else ""), method, draw(BODIES), headers)


@given(st.lists(requests(), min_size=1, max_size=5), st.data())
def test_a_recorded_request_always_finds_an_answer(recorded: list[Request], data: st.DataObject) -> None:
    held = cassette(*recorded)
    index = data.draw(st.sampled_from(range(len(recorded))))
    found = held.take(held.key(recorded[index]), held.plays())
    assert isinstance(found, int)
    assert held.take(held.key(recorded[found]), held.plays()) == found


@st.composite
def changed(draw: st.DrawFn) -> tuple[Request, Request]:
    """A request, and one that differs from it in a single place."""
    pairs, steps = draw(PAIRS), draw(st.lists(st.sampled_from(["runs", "a%2Fb", "x"]), min_size=1))
    content = draw(st.dictionaries(NAMES, JSON, min_size=1, max_size=3))
    body, other = dict(content), dict(content)
    more, rest, method = list(pairs), list(steps), "GET"
    match draw(st.sampled_from(["method", "path", "pair", "value", "field", "absent"])):
        case "method":
            method = "POST"
        case "path":
            rest.insert(draw(st.integers(0, len(rest))), "more")
        case "pair":
            more.append(draw(st.tuples(NAMES, NAMES)))
        case "value":
            more = [*pairs, ("name", "0")]
            pairs = [*pairs, ("name", draw(NAMES.filter(lambda value: value != "0")))]
        case "field":
            name = draw(st.sampled_from(sorted(content)))
            other[name] = draw(JSON.filter(lambda value: json.dumps(value) != json.dumps(content[name])))
            assume(json.dumps(other[name], sort_keys=True) != json.dumps(content[name], sort_keys=True))
        case _:
            del other[draw(st.sampled_from(sorted(content)))]
    asked = ({name for name, _ in [*pairs, *more]}, set(content))
    assume(all(is_open(names) == names for names in asked))  # a credential decides nothing, by its name
    return (
        ask(f"/{'/'.join(steps)}?{urlencode(pairs)}", "GET", json.dumps(body).encode()),
        ask(f"/{'/'.join(rest)}?{urlencode(more)}", method, json.dumps(other).encode()),
    )


@given(changed())
def test_a_request_that_asks_anything_else_never_finds_an_answer(pair: tuple[Request, Request]) -> None:
    recorded, other = pair
    assert answers(cassette(recorded), other) == ["miss"]
    assert answers(cassette(other), recorded) == ["miss"]
