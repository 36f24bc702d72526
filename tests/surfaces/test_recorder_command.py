"""`localruns record` as a process: signals, what is printed, what a crash leaves behind; no secret gets out."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from localruns.engine.recorded.recording import Reader
from localruns.recordings.scanning.exchanges import scan_file
from localruns.testing import LocalRuns
from localruns.vendors import all_vendors
from tests.clients.processes import COMMAND, Served, environment, run, serving
from tests.clients.upstreams import Call, Client, ask, platform


@contextmanager
def recording(*arguments: str, vendor: str = "naver-nsml", **variables: str) -> Iterator[Served]:
    """`localruns record` with its output in pipes."""
    with serving("--vendor", vendor, *arguments, what="record", env=environment(**variables)) as started:
        yield started


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "session.yaml"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_file_and_says_what_was_recorded(out: Path, number: int) -> None:
    with platform(Call.answer) as upstream:
        with recording("--upstream", upstream.url, "--out", str(out)) as recorder:
            assert recorder.lines[0].startswith("localruns recording on http://127.0.0.1:")
            for target in ("/a", "/b"):
                assert ask(recorder.url, target).status == 200
            printed, errors, took_s = recorder.end(number)
        assert recorder.process.returncode == 0
    assert printed.splitlines()[-1] == f"2 exchanges recorded in {out}, 0 left out"
    assert errors == ""
    assert took_s < 5
    assert len(list(Reader(out))) == 2


def test_an_exchange_under_way_does_not_hold_up_the_end(out: Path) -> None:
    asked = threading.Event()

    def respond(call: Call) -> None:
        asked.set()
        call.sock.recv(1)

    def leave(client: Client) -> None:
        with contextlib.suppress(OSError):
            client.start("GET", "/x")

    with platform(respond) as upstream, recording("--upstream", upstream.url, "--out", str(out)) as recorder:
        with Client(recorder.url) as client:
            waiting = threading.Thread(target=leave, args=(client,))
            waiting.start()
            assert asked.wait(10)
            printed, errors, took_s = recorder.end()
            waiting.join(10)
        assert recorder.process.returncode == 0
    assert took_s < 5
    assert printed.splitlines()[-1] == f"0 exchanges recorded in {out}, 1 left out"
    assert errors == "left out: GET /x: the recorder was stopped meanwhile\n"
    assert list(Reader(out)) == []


def test_what_was_left_out_is_listed_and_the_exit_code_tells_of_secrets(out: Path) -> None:
    odd = "qZ7f0PxB3vK9sLmW2yTnR8cHdJ5gUe1A"
    body = json.dumps({"blob": odd}).encode()
    with (
        platform(lambda call: call.answer(body)) as upstream,
        recording("--upstream", upstream.url, "--out", str(out)) as recorder,
    ):
        ask(recorder.url, "/x")
        printed, errors, _ = recorder.end()
    assert recorder.process.returncode == 1
    assert printed.splitlines()[-1] == f"0 exchanges recorded in {out}, 1 left out"
    assert errors.splitlines()[0].startswith("left out: GET /x: answer.body.blob: random text")
    assert "--redact" in errors.splitlines()[1]
    assert odd not in printed + errors + out.read_text("utf-8")


def test_rules_of_the_users_own_are_kept_to(out: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("body: [blob]\nkeep: {names: [known]}\n", "utf-8")
    odd = "qZ7f0PxB3vK9sLmW2yTnR8cHdJ5gUe1A"
    body = json.dumps({"blob": "plain words", "known": odd}).encode()
    with (
        platform(lambda call: call.answer(body)) as upstream,
        recording("--upstream", upstream.url, "--out", str(out), "--redact", str(rules)) as recorder,
    ):
        ask(recorder.url, "/x")
        recorder.end()
    assert recorder.process.returncode == 0
    text = out.read_text("utf-8")
    assert "plain words" not in text
    assert odd in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--upstream", "ftp://x"], "--upstream is 'ftp://x', expected http://HOST[:PORT][/PATH] or https://..."),
        (["--upstream", "localhost:80"], "expected http://HOST"),
        (["--upstream", "http://u:secret1@x"], "expected no user, query or fragment in it"),
        (["--upstream", "http://x:99999"], "expected http://HOST"),
        (["--upstream", "http://x:0"], "expected http://HOST"),
        (["--upstream", "http://[::1"], "--upstream is 'http://[::1', expected http://HOST"),
        (["--upstream", "http://\u00e9..com"], "expected the name of a host"),
        ([], "expected --upstream to say where"),
        (["--upstream", "http://x", "--host", "0.0.0.0"], "add --allow-remote to mean it"),
        (["--upstream", "http://x", "--out", "plain.txt"], "found no name that ends in .yaml or .yml"),
        (["--upstream", "http://x", "--out", "/proc/nowhere/x.yaml"], "/proc/nowhere/x.yaml: cannot be written"),
        (["--upstream", "https://x", "--ca", "nothing.pem"], "--ca nothing.pem: found no certificates in PEM"),
        (
            ["--upstream", "http://x", "--ca", "nothing.pem"],
            "--ca nothing.pem: found no certificates in PEM, expected some: No",
        ),
        (
            ["--upstream", "http://x", "--ca", os.devnull],
            f"--ca {os.devnull}: found no certificates in PEM, expected some\n",
        ),
        (["--upstream", "http://x", "--redact", "nothing.yaml"], "nothing.yaml: cannot be read"),
        (["--mode", "none"], "found no recording there"),
        (["--upstream", "http://x", "--vendor", "acme"], "'acme' is not one of"),
        (["--upstream", "http://x", "--mode", "twice"], "'twice' is not one of"),
    ],
)
def test_what_cannot_be_used_is_one_clear_message(out: Path, arguments: list[str], words: str) -> None:
    given = ["record", "--vendor", "naver-nsml", "--port", "0", "--out", str(out), *arguments]
    done = run(*given, cwd=out.parent)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret1" not in done.stderr
    assert done.stdout == ""
    assert not out.exists()


def test_a_port_in_use_is_one_clear_message(out: Path) -> None:
    with platform(Call.answer) as upstream:
        port = upstream.url.rpartition(":")[2]
        done = run("record", "--vendor", "naver-nsml", "--upstream", upstream.url, "--out", str(out), "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"error: 127.0.0.1:{port} is in use already: choose another with --port, or --port 0 for a free one\n"
    )
    assert not out.exists()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_https_is_spoken_to_those_who_are_trusted(out: Path) -> None:
    with LocalRuns("quickstart", auth="off", tls=True) as emu:
        with recording("--upstream", emu.url, "--out", str(out)) as recorder:
            refused = ask(recorder.url, "/nsml/v1/projects/runs")
        assert refused.status == 502
        assert "not trusted" in json.loads(refused.body)["detail"]
        with recording(
            "--upstream", emu.url, "--out", str(out), "--mode", "rewrite", "--ca", str(emu.ca_pem)
        ) as recorder:
            assert len(json.loads(ask(recorder.url, "/nsml/v1/projects/runs").body)["runList"]) == 10
    assert [exchange.reply.status for exchange in Reader(out)] == [200]


def test_a_terminal_shows_a_line_per_request(out: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with platform(lambda call: call.answer(b"{}" * 500)) as upstream:
        command = [*COMMAND, "record", "--vendor", "naver-nsml", "--port", "0", "--upstream", upstream.url]
        process = subprocess.Popen(
            [*command, "--out", str(out)], env=environment(), stdout=theirs, stdin=subprocess.DEVNULL
        )
        os.close(theirs)
        shown = _until(ours, lambda text: "Ctrl-C stops" in text)
        url = shown.split("recording on ")[1].split()[0]
        ask(url, "/runs?access_token=hidden-from-all")
        shown += _until(ours, lambda text: " ms" in text)
        process.terminate()
        assert process.wait(10) == 0
        os.close(ours)
    line = next(line for line in shown.splitlines() if line.startswith("GET "))
    assert line.startswith("GET /runs?access_token=redacted-")
    assert "->  200, 1,000 bytes, " in line
    assert "hidden" not in shown


def _until(terminal: int, wanted: Callable[[str], bool]) -> str:
    text = ""
    while not wanted(text):
        text += os.read(terminal, 4096).decode()
    return text


def test_a_crash_loses_at_most_the_exchange_in_flight(out: Path) -> None:
    chance = random.Random(11)
    had = 0
    with platform(lambda call: call.answer(call.target.encode() * chance.randint(1, 4000))) as upstream:
        for turn in range(5):
            with recording("--upstream", upstream.url, "--out", str(out), "--mode", "new_episodes") as recorder:
                answered = _ask_until_killed(recorder, turn, after_s=chance.uniform(0, 0.15))
            kept = [exchange.request.target for exchange in Reader(out)]
            new = kept[had:]
            # All that a client has the end of is there, in order; at most one more, whose end it never got.
            assert new[: len(answered)] == answered
            assert len(new) <= len(answered) + 1
            had = len(kept)
    assert had > 20
    with recording("--mode", "none", "--out", str(out)) as recorder:
        assert ask(recorder.url, kept[0]).status == 200


def test_a_file_is_free_again_as_soon_as_its_recorder_is_killed(out: Path) -> None:
    pytest.importorskip("fcntl")
    with platform(Call.answer) as upstream:
        given = ["--upstream", upstream.url, "--out", str(out), "--mode", "all"]
        with recording(*given) as first:
            ask(first.url, "/a")
            second = run("record", "--vendor", "naver-nsml", "--port", "0", *given)
            assert (second.returncode, second.stdout) == (2, "")
            assert second.stderr.startswith(f"error: {out}: found a recorder writing to it, ")
            assert len(second.stderr.splitlines()) == 1
            first.process.kill()
            first.process.wait(10)
        with recording(*given) as third:
            ask(third.url, "/b")
            third.end()
    assert [exchange.request.target for exchange in Reader(out)] == ["/a", "/b"]


def _ask_until_killed(recorder: Served, turn: int, after_s: float) -> list[str]:
    """The targets of all requests that were answered to the end before the process was killed."""
    answered: list[str] = []
    killing = threading.Timer(after_s, recorder.process.kill)
    with Client(recorder.url) as client:
        try:
            for number in range(100_000):
                if number == 5:  # never killed before there is something to lose
                    killing.start()
                if client.ask("GET", f"/{turn}/{number}").cut:
                    break
                answered.append(f"/{turn}/{number}")
        except OSError:
            pass
    killing.join()
    recorder.process.wait(10)
    return answered


# --- canaries


def _canaries() -> dict[str, str]:
    """Forty secrets by where they are planted."""
    chance = random.Random(7)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"

    def text(length: int) -> str:
        return "".join(chance.choice(letters) for _ in range(length))

    found = {f"header {name}": text(24) for name in ("x-api-key", "x-ncp-apigw-api-key", "x-ncp-iam-access-key",
             "x-ncp-apigw-signature-v2", "x-acs-security-token", "x-auth-token", "proxy-secret")}  # fmt: skip
    found |= {
        f"query {name}": text(20) for name in ("access_token", "api_key", "client_secret", "signature", "password")
    }
    found |= {
        f"sent {name}": text(18) for name in ("password", "clientSecret", "refresh_token", "apiKey", "privateKey")
    }
    found |= {
        f"told {name}": text(22) for name in ("access_token", "refresh_token", "secretKey", "session_token", "idToken")
    }
    found |= {
        "bearer": text(40), "basic": text(16), "cookie": text(26), "set-cookie": text(26), "told header": text(28),
        "access key": "LTAI5t" + text(18), "aws": "AKIA" + text(16).upper(), "github": "ghp_" + text(36),
        "jwt": ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
                        for part in ('{"alg":"HS256"}', '{"sub":"' + text(12) + '"}', text(32))),
        "email": f"{text(9).lower()}@{text(7).lower()}.com", "ocid": f"ocid1.user.oc1..{text(40).lower()}",
        "member": "ncp-user-4815162", "pem": f"-----BEGIN PRIVATE KEY-----\n{text(64)}\n-----END PRIVATE KEY-----",
        "in base64": text(21), "url in text": text(19), "env secret": text(30), "env token": text(34), "form": text(17),
    }  # fmt: skip
    return found


def test_forty_secrets_of_live_traffic_appear_nowhere(out: Path, tmp_path: Path) -> None:
    planted = _canaries()
    assert len(planted) == 40
    told = {name.removeprefix("told "): value for name, value in planted.items() if name.startswith("told ")}
    sent = {name.removeprefix("sent "): value for name, value in planted.items() if name.startswith("sent ")}
    headers = {name.removeprefix("header "): value for name, value in planted.items() if name.startswith("header ")}
    query = "&".join(f"{name.removeprefix('query ')}={value}" for name, value in planted.items() if "query " in name)
    wrapped = base64.b64encode(json.dumps({"token": planted["in base64"]}).encode()).decode()

    def respond(call: Call) -> None:
        body = {**told, "echo": call.head.decode("latin-1"), "nextPageToken": wrapped, "pem": planted["pem"],
                "said": f"see https://x.example/?sig={planted['url in text']}&a=b or write to {planted['email']}",
                "keys": [planted["access key"], planted["aws"], planted["github"]], "creator": planted["member"],
                "user": planted["ocid"], "signed": f"{planted['env secret']} {planted['env token']}"}  # fmt: skip
        call.answer(json.dumps(body).encode(), headers={
            "content-type": "application/json", "set-cookie": f"sid={planted['set-cookie']}; Path=/",
            "x-subject-token": planted["told header"]})  # fmt: skip

    basic = base64.b64encode(f"me:{planted['basic']}".encode()).decode()
    with platform(respond) as upstream:
        with recording(
            "--upstream", upstream.url, "--out", str(out), vendor="alibaba-pai",
            ALIBABA_CLOUD_ACCESS_KEY_ID=planted["access key"], ALIBABA_CLOUD_ACCESS_KEY_SECRET=planted["env secret"],
            ALIBABA_CLOUD_SECURITY_TOKEN=planted["env token"],
        ) as recorder:  # fmt: skip
            unsigned = "ACS3-HMAC-SHA256 Credential=any,SignedHeaders=host,Signature=00"
            form = {"content-type": "application/x-www-form-urlencoded", "cookie": f"a=1; session={planted['cookie']}"}
            asks: list[tuple[str, bytes | None, dict[str, str]]] = [
                (f"/api/v1/runs?{query}", None, {**headers, "authorization": f"Bearer {planted['bearer']}"}),
                ("/login", json.dumps(sent).encode(), {"authorization": f"Basic {basic}"}),
                ("/oauth", f"grant_type=x&client_secret={planted['form']}".encode(), form),
                ("/api/v1/runs", None, {"authorization": unsigned, "x-jwt": planted["jwt"]}),
            ]
            for target, body, named in asks:
                got = ask(recorder.url, target, "POST" if body else "GET", body, **named)
                assert planted["told access_token"] in got.body.decode()
            printed, errors, _ = recorder.end()
        passed_on = b"".join(call.head + call.body for call in upstream.calls).decode("latin-1")
    # What the test is worth: the platform got and gave the real ones.
    assert all(value in passed_on for value in (*headers.values(), planted["bearer"], planted["env token"]))
    everything = printed + errors + "".join(path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file())
    leaked = [name for name, value in planted.items() if any(form in everything for form in _forms(value))]
    assert leaked == []
    assert len(list(Reader(out))) == 4, errors
    assert list(scan_file(out, all_vendors())) == []


def _forms(value: str) -> set[str]:
    raw = value.encode()
    packed = [base64.b64encode(b"x" * shift + raw).decode()[(0, 2, 3)[shift] :].rstrip("=")[:-2] for shift in range(3)]
    return {value, quote(value, safe=""), raw.hex(), json.dumps(value)[1:-1], *packed}
