"""HTTPS with an authority of our own: what is kept, and that real clients trust it as they are told to."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import requests

from localruns.errors import ConfigError
from localruns.surfaces import tls
from localruns.surfaces.edge import Edge
from localruns.surfaces.http import App, refuser
from localruns.surfaces.tls import ca_file, tls_context, trust_exports
from localruns.vendors import all_vendors
from tests.clients.pagers import HEADERS, STUDIO
from tests.clients.processes import environment, run, serving

MakeApp = Callable[..., App]
LIST = f"/api/v2/models/modelStudios/{STUDIO}/runs?preview=true&pageSize=2"
AS_USER = HEADERS["palantir-foundry"]


def serve(app: App, cache: Path, host: str = "127.0.0.1") -> Edge:
    context, ca_pem = tls_context(cache, [host])
    app = App(app.emulator, ca_pem)
    return Edge(app, refuser(app.emulator), host=host, tls=context)


@pytest.fixture
def secure(make_app: MakeApp, tmp_path: Path) -> Iterator[Edge]:
    with serve(make_app("quickstart"), tmp_path) as edge:
        yield edge


def trusting(ca_pem: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_pem.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def clean(**more: str) -> dict[str, str]:
    """The environment of a client that is told of no certificates but `more`."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
    return {**{key: value for key, value in os.environ.items() if key not in names}, **more}


def program(*command: str, **more: str) -> str:
    done = subprocess.run(command, env=clean(**more), capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# What is kept


def test_the_authority_is_made_once_and_used_again(tmp_path: Path) -> None:
    first, second = tls_context(tmp_path), tls_context(tmp_path, ["127.0.0.1"])
    assert first[1] == second[1] == ca_file(tmp_path).read_bytes()
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "tls").iterdir()) == [
        "authority.pem",
        "ca.pem",
        "server",
    ]


def test_only_the_owner_can_read_what_is_kept(tmp_path: Path) -> None:
    tls_context(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()}
    assert (modes, stat.S_IMODE((tmp_path / "tls").stat().st_mode)) == ({0o600}, 0o700)
    assert b"PRIVATE KEY" not in ca_file(tmp_path).read_bytes()


def test_a_second_start_makes_no_key(tmp_path: Path) -> None:
    ask = (
        "import pathlib, sys; from localruns.surfaces.tls import tls_context; "
        f"tls_context(pathlib.Path({str(tmp_path)!r}), ['127.0.0.1']); print('trustme' in sys.modules)"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", ask], env=environment(), capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert printed == ["True\n", "False\n"]


@pytest.mark.parametrize("damage", [b"", b"not PEM at all", None])
def test_damaged_files_are_made_anew(tmp_path: Path, damage: bytes | None, make_app: MakeApp) -> None:
    tls_context(tmp_path)
    for path in (tmp_path / "tls").iterdir():
        path.write_bytes(path.read_bytes()[:300] if damage is None else damage)
    context, ca_pem = tls_context(tmp_path)
    assert ca_file(tmp_path).read_bytes() == ca_pem
    assert tls_context(tmp_path)[1] == ca_pem
    app = make_app("quickstart")
    with Edge(app, refuser(app.emulator), tls=context) as edge:
        assert httpx.get(edge.url, verify=trusting(ca_pem)).status_code == 200


def test_an_authority_that_looks_right_and_is_not_is_named(tmp_path: Path) -> None:
    tls_context(tmp_path)
    place = tmp_path / "tls" / "authority.pem"
    place.write_bytes(place.read_bytes().replace(b"\nMI", b"\n!!"))
    with pytest.raises(ConfigError, match=f"^{place}: found no certificate and key that can be read"):
        tls_context(tmp_path)


def test_starts_at_the_same_time_agree_on_one_authority(tmp_path: Path) -> None:
    ask = (
        "import pathlib; from localruns.surfaces.tls import tls_context; "
        f"print(tls_context(pathlib.Path({str(tmp_path)!r}), [])[1].decode())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", ask], env=environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=30)[0] for process in started}) == 1


def test_without_a_cache_the_authority_is_made_in_memory_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, make_app: MakeApp
) -> None:
    (tmp_path / "file").touch()
    context, ca_pem = tls_context(tmp_path / "file", ["127.0.0.1"])
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/file/tls: no certificate authority can be kept there (Not a directory), one is made in memory"
    ]
    app = make_app("quickstart")
    app = App(app.emulator, ca_pem)
    with Edge(app, refuser(app.emulator), tls=context) as edge:
        assert httpx.get(edge.url + "/__admin/ca.pem", verify=trusting(ca_pem)).content == ca_pem


# Names


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_is_covered_by_every_name(make_app: MakeApp, tmp_path: Path, host: str) -> None:
    with serve(make_app("quickstart"), tmp_path, host) as edge:
        assert httpx.get(edge.url, verify=trusting(ca_file(tmp_path).read_bytes())).status_code == 200


def names_of(context: ssl.SSLContext, ca_pem: bytes) -> list[str]:
    """What a client reads in the certificate."""
    hers, ours = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(ca_pem).wrap_bio(ours, hers, server_hostname="localhost")
    server = context.wrap_bio(hers, ours, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return [value for _, value in client.getpeercert()["subjectAltName"]]  # type: ignore[index, misc]


def test_the_host_is_in_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls.socket, "gethostname", lambda: "box")
    here = ["localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"]
    added = {
        "10.1.2.3": "10.1.2.3",
        "fe80::1%eth0": "FE80:0:0:0:0:0:0:1",
        "0.0.0.0": "box",
        "LAN.example": "lan.example",
    }
    for host, name in added.items():
        assert names_of(*tls_context(tmp_path, [host])) == [*here, name]


def test_a_machine_whose_name_cannot_stand_in_a_certificate_can_listen_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls.socket, "gethostname", lambda: "my_box")
    assert names_of(*tls_context(tmp_path, ["0.0.0.0"]))[0] == "localhost"


def test_a_host_that_cannot_stand_in_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--host my_host: no certificate can be made for that name"):
        tls_context(tmp_path, ["my_host"])


# The way to the certificate


def test_the_certificate_is_served_without_the_token(secure: Edge, tmp_path: Path) -> None:
    app = secure.app
    assert isinstance(app, App)
    object.__setattr__(app.emulator.options, "admin_token", "s3cr3t")
    verify = trusting(ca_file(tmp_path).read_bytes())
    answer = httpx.get(secure.url + "/__admin/ca.pem", verify=verify)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-pem-file")
    assert answer.content == ca_file(tmp_path).read_bytes()
    assert httpx.get(secure.url + "/__admin/health", verify=verify).status_code == 401
    assert httpx.get(secure.url + "/ns/default/__admin/ca.pem", verify=verify).status_code == 200


def test_there_is_no_certificate_on_plain_http(make_app: MakeApp) -> None:
    answer = make_app("quickstart").test_client().get("/__admin/ca.pem")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert "--tls serves HTTPS" in answer.get_json()["detail"]


# Clients, each as its user would write it


def test_requests_trusts_it_by_its_variable(secure: Edge, tmp_path: Path) -> None:
    text = f"import requests; print(len(requests.get({secure.url + LIST!r}, headers={AS_USER!r}).json()['data']))"
    exports = trust_exports(ca_file(tmp_path))
    assert program(sys.executable, "-c", text, REQUESTS_CA_BUNDLE=exports["REQUESTS_CA_BUNDLE"]) == "2\n"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure.url + LIST, headers=AS_USER, timeout=10)


@pytest.mark.parametrize(
    "library", ["httpx.get(url, headers=headers).text", "request.urlopen(request.Request(url, headers=headers)).read()"]
)
def test_httpx_and_urllib_trust_it_by_their_variable(secure: Edge, tmp_path: Path, library: str) -> None:
    text = (
        f"import httpx, json; from urllib import request; url, headers = {secure.url + LIST!r}, {AS_USER!r}\n"
        f"print(len(json.loads({library})['data']))"
    )
    exports = trust_exports(ca_file(tmp_path))
    assert program(sys.executable, "-c", text, SSL_CERT_FILE=exports["SSL_CERT_FILE"]) == "2\n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_trusts_it_by_its_variable(secure: Edge, tmp_path: Path) -> None:
    exports = trust_exports(ca_file(tmp_path))
    head = f"Authorization: {AS_USER['Authorization']}"
    printed = program("curl", "-sS", secure.url + LIST, "-H", head, SSL_CERT_FILE=exports["SSL_CERT_FILE"])
    assert len(json.loads(printed)["data"]) == 2


NODE = """
const https = require("https"), [url, headers] = [process.argv[1], JSON.parse(process.argv[2])];
https.get(url, {headers}, answer => {
  let text = ""; answer.on("data", part => text += part);
  answer.on("end", () => fetch(url, {headers}).then(other => other.json()).then(
    body => console.log(JSON.parse(text).data.length + body.data.length)));
});
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_trusts_it_by_its_variable(secure: Edge, tmp_path: Path) -> None:
    exports = trust_exports(ca_file(tmp_path))
    command = ("node", "-e", NODE, secure.url + LIST, json.dumps(AS_USER))
    assert program(*command, NODE_EXTRA_CA_CERTS=exports["NODE_EXTRA_CA_CERTS"]) == "4\n"


JAVA = """
import java.net.URI;
import java.net.http.*;
public class Ask {
    public static void main(String[] args) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(args[0])).header("Authorization", args[1]).build();
        System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
    }
}
"""


@pytest.mark.skipif(not (shutil.which("java") and shutil.which("keytool")), reason="needs java and keytool")
def test_java_trusts_it_by_the_printed_lines(secure: Edge, tmp_path: Path) -> None:
    printed = run("env", "--url", secure.url, "--cache-dir", str(tmp_path)).stdout
    keytool, options = (
        next(line for line in printed.splitlines() if line.startswith(start)).removeprefix("#   ")
        for start in ("#   keytool", "#   java")
    )
    (tmp_path / "Ask.java").write_text(JAVA, "utf-8")
    ask = options.replace("...", f"{tmp_path}/Ask.java '{secure.url + LIST}' '{AS_USER['Authorization']}'")
    assert program("sh", "-c", f"{keytool} >&2 && {ask}") == "200\n"


FOUNDRY = """
import sys, warnings
warnings.simplefilter("ignore")
import foundry_sdk
auth = eval("foundry_sdk." + sys.argv[3])
client = foundry_sdk.FoundryClient(auth=auth, hostname=sys.argv[1])
print(len(list(client.models.ModelStudio.Run.list(sys.argv[2], page_size=10, preview=True))))
"""


@pytest.mark.sdk
@pytest.mark.parametrize(
    "auth",
    [
        "UserTokenAuth('localruns-token')",
        "ConfidentialClientAuth('localruns-client', 'localruns-foundry-secret', should_refresh=False)",
    ],
)
def test_the_foundry_sdk_works_with_its_default_https(make_app: MakeApp, tmp_path: Path, auth: str) -> None:
    pytest.importorskip("foundry_sdk")
    with serve(make_app("quickstart", auth="verify"), tmp_path) as edge:
        command = (sys.executable, "-c", FOUNDRY, edge.url.removeprefix("https://"), STUDIO, auth)
        assert program(*command, **trust_exports(ca_file(tmp_path))) == "25\n"


@pytest.mark.sdk
@pytest.mark.parametrize("vendor", all_vendors())
def test_the_printed_programs_work_over_https(secure: Edge, tmp_path: Path, vendor: str) -> None:
    ask = ("env", "--url", secure.url, "--cache-dir", str(tmp_path), "--vendor", vendor, "--only")
    exports, snippet = run(*ask, "exports").stdout, run(*ask, "snippet").stdout
    (tmp_path / "program.py").write_text(snippet, "utf-8")
    listed = program("sh", "-c", f"{exports}\n{sys.executable} -W ignore {tmp_path}/program.py")
    runs = [line for line in listed.splitlines() if not line.startswith("#")]
    assert len(runs) == 25 * max(1, listed.count("# with"))  # some vendors have two SDKs or two ways to sign in


# As a command


def test_serve_tls_is_ready_on_https_and_env_says_how_to_trust_it(tmp_path: Path) -> None:
    where = ("--cache-dir", str(tmp_path / "my cache"))
    with serving("--tls", *where) as server:
        assert server.url.startswith("https://127.0.0.1:")
        hint = server.read_until(lambda line: "localruns env" in line)
        told = run(*shlex.split(hint.split("`")[1])[1:], "--only", "exports").stdout
        text = f"import httpx; print(httpx.get({server.url!r} + '/__admin/health').json()['status'])"
        assert program("sh", "-c", f'{told}\n{sys.executable} -c "{text}"') == "ready\n"


def test_a_host_that_no_certificate_can_name_is_one_clear_message(tmp_path: Path) -> None:
    done = run("serve", "--tls", "--host", "my_host", "--allow-remote", "--cache-dir", str(tmp_path),
               env=environment(LOCALRUNS_ADMIN_TOKEN="t"))  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: --host my_host: no certificate can be made for that name")
