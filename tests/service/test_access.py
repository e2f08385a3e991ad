"""Who may do what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.errors import InputError
from lookalike.service.access import Administrable, Readable, Writable
from lookalike.service.app import create_app
from lookalike.service.keys import KeyFile
from lookalike.service.settings import ServiceSettings

Make = Callable[..., TestClient]
HERE = ("127.0.0.1", 4000)
ELSEWHERE = ("192.0.2.7", 4000)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with lookalike.create(tmp_path_factory.mktemp("empty") / "empty.lookalike") as collection:
        yield collection


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def make(empty: Collection) -> Make:
    def make(
        settings: ServiceSettings | None = None,
        peer: tuple[str, int] = HERE,
        url: str = "http://127.0.0.1:8000",
        token: str | None = None,
    ) -> TestClient:
        app = create_app({"shop": empty, "other": empty}, settings)

        @app.get("/v1/collections/{collection}/test-read")
        async def read(opened: Readable) -> int:
            return len(opened)

        @app.post("/v1/collections/{collection}/test-write")
        async def write(opened: Writable) -> int:
            return len(opened)

        @app.post("/v1/collections/{collection}/test-admin")
        async def administer(opened: Administrable) -> int:
            return len(opened)

        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return TestClient(app, base_url=url, client=peer, headers=headers)

    return make


def type_of(response: object) -> str:
    return str(response.json()["type"]).removeprefix("/problems/")  # type: ignore[attr-defined]


def statuses(client: TestClient, collection: str = "shop") -> list[int]:
    base = f"/v1/collections/{collection}"
    return [
        client.get(f"{base}/test-read").status_code,
        client.post(f"{base}/test-write").status_code,
        client.post(f"{base}/test-admin").status_code,
    ]


# without keys


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_needs_no_key(make: Make, peer: str) -> None:
    assert statuses(make(peer=(peer, 4000))) == [200, 200, 200]


def test_another_machine_does(make: Make) -> None:
    answer = make(peer=ELSEWHERE).get("/v1/collections")
    assert answer.status_code == 401
    assert type_of(answer) == "missing-key"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("field", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_whoever_comes_through_a_proxy_on_this_machine_does(make: Make, field: str) -> None:
    assert make().get("/v1/collections", headers={field: "127.0.0.1"}).status_code == 401


def test_a_service_open_to_others_without_keys_is_refused(empty: Collection) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(InputError, match="lookalike keys create"):
            create_app({"shop": empty}, ServiceSettings(host=host))


# with keys


def test_a_scope_allows_what_those_before_it_do(make: Make, keys: KeyFile) -> None:
    expected = {"read": [200, 403, 403], "write": [200, 200, 403], "admin": [200, 200, 200]}
    for scope in ("read", "write", "admin"):
        token, _ = keys.create(scope, scope=scope)  # type: ignore[arg-type]
        assert statuses(make(ServiceSettings(keys=keys.path), ELSEWHERE, token=token)) == expected[scope]


def test_a_refusal_says_which_scope_is_needed(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("page")
    answer = make(ServiceSettings(keys=keys.path), token=token).post("/v1/collections/shop/test-admin")
    assert type_of(answer) == "scope"
    assert answer.json()["scope"] == "admin"
    assert "'page' has scope read" in answer.json()["detail"]


def test_where_there_are_keys_this_machine_needs_one_too(make: Make, keys: KeyFile) -> None:
    keys.create("somebody")
    client = make(ServiceSettings(keys=keys.path))
    assert client.get("/v1/collections").status_code == 401
    wrong = client.get("/v1/collections", headers={"Authorization": "Bearer lk_000000000000_" + "a" * 43})
    assert type_of(wrong) == "invalid-key"
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


def test_a_key_for_one_collection_does_not_see_that_there_are_others(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("narrow", scope="admin", collections=["shop"])
    client = make(ServiceSettings(keys=keys.path), token=token)
    assert statuses(client) == [200, 200, 200]
    assert statuses(client, "other") == statuses(client, "nothing") == [404, 404, 404]
    assert "other" not in client.get("/v1/collections").text
    hidden = client.get("/v1/collections/other/test-read").json()
    absent = client.get("/v1/collections/nothing/test-read").json()
    assert hidden["detail"].replace("other", "nothing") == absent["detail"]
    assert client.get("/metrics").status_code == 403


def test_a_revoked_key_opens_nothing_from_the_next_request_on(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("gone")
    keys.create("stays")
    client = make(ServiceSettings(keys=keys.path), token=token)
    assert client.get("/v1/collections").status_code == 200
    keys.revoke("gone")
    assert client.get("/v1/collections").status_code == 401


def test_nothing_is_open_while_the_keys_cannot_be_read(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("first", scope="admin")
    client = make(ServiceSettings(keys=keys.path), token=token)
    keys.path.write_text("damaged")
    answer = client.get("/v1/collections")
    assert answer.status_code == 500
    assert str(keys.path) not in answer.text


def test_the_use_of_a_key_is_noted(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("used")
    with make(ServiceSettings(keys=keys.path), token=token) as client:
        client.get("/v1/collections")
        for _ in range(200):
            if keys.all()[0].last_used is not None:
                return
            client.get("/live")
    pytest.fail("it was not")


def test_a_file_of_keys_that_cannot_be_written_still_opens(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("used")
    lock = keys.path.with_name(keys.path.name + ".lock")
    lock.unlink()
    lock.mkdir()  # noting a use fails
    with make(ServiceSettings(keys=keys.path), token=token) as client:
        assert [client.get("/v1/collections").status_code for _ in range(3)] == [200, 200, 200]


def test_what_is_no_data_needs_no_key(make: Make, keys: KeyFile) -> None:
    client = make(ServiceSettings(keys=keys.path), ELSEWHERE)
    open_to_all = ["/live", "/ready", "/", "/docs", "/openapi.json", "/widget.js", "/problems/filter"]
    assert [client.get(path).status_code for path in open_to_all] == [200] * len(open_to_all)
    assert [client.get(path).status_code for path in ("/metrics", "/v1/jobs", "/v1/session", "/v1/x")] == [
        401
    ] * 4


def test_the_openapi_document_says_that_keys_are_sent_as_bearer(make: Make) -> None:
    document = make().get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert document["paths"]["/v1/collections/{collection}"]["get"]["security"] == [{"key": []}]


# the session of the page


def test_a_session_is_a_cookie_that_no_script_reads_and_no_other_site_sends(
    make: Make, keys: KeyFile
) -> None:
    token, _ = keys.create("page", collections=["shop"])
    client = make(ServiceSettings(keys=keys.path), ELSEWHERE)
    answer = client.post("/v1/session", json={"key": token})
    assert answer.json() == {
        "name": "page",
        "scope": "read",
        "collections": ["shop"],
        "key_needed": True,
        "requests_per_minute": None,
        "expires": None,
    }
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert client.get("/v1/collections/shop/test-read").status_code == 200
    assert client.get("/v1/session").json()["name"] == "page"
    assert client.delete("/v1/session").status_code == 204
    assert client.get("/v1/collections/shop/test-read").status_code == 401


def test_over_tls_the_cookie_stays_on_tls(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("page")
    settings = ServiceSettings(keys=keys.path, allowed_hosts=("shop.example",))
    client = make(settings, HERE, "http://shop.example")
    answer = client.post("/v1/session", json={"key": token}, headers={"Origin": "https://shop.example"})
    assert "; secure" in answer.headers["set-cookie"].lower()


def test_a_key_is_told_what_it_allows_how_often_and_until_when(make: Make, keys: KeyFile) -> None:
    end = datetime(2100, 1, 1, tzinfo=UTC)
    own, _ = keys.create("own", scope="write", expires=end, requests_per_minute=7)
    plain, _ = keys.create("plain")
    client = make(ServiceSettings(keys=keys.path, requests_per_minute=50))
    told = client.get("/v1/session", headers={"Authorization": f"Bearer {own}"}).json()
    assert (told["name"], told["scope"], told["requests_per_minute"]) == ("own", "write", 7)
    assert datetime.fromisoformat(told["expires"]) == end
    told = client.get("/v1/session", headers={"Authorization": f"Bearer {plain}"}).json()
    assert (told["scope"], told["requests_per_minute"], told["expires"]) == ("read", 50, None)


def test_a_wrong_key_opens_no_session(make: Make, keys: KeyFile) -> None:
    answer = make(ServiceSettings(keys=keys.path)).post("/v1/session", json={"key": "lk_x"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_session_ends_when_its_key_is_revoked(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("page")
    client = make(ServiceSettings(keys=keys.path))
    client.post("/v1/session", json={"key": token})
    keys.revoke("page")
    assert client.get("/v1/session").status_code == 401


# browsers


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "http://10.0.0.5"]
)
def test_it_answers_to_localhost_and_to_addresses(make: Make, url: str) -> None:
    assert make(url=url).get("/v1/collections").status_code == 200


def test_a_name_that_a_stranger_points_here_is_refused(make: Make) -> None:
    client = make(url="http://evil.example:8000")
    assert [client.get(path).status_code for path in ("/", "/v1/collections", "/openapi.json")] == [421] * 3
    assert client.get("/live", headers={"Host": "localhost.evil.example"}).status_code == 421
    assert client.get("/live", headers={"Host": "evil.example@127.0.0.1"}).status_code == 421
    assert client.get("/live", headers={"Host": ""}).status_code == 421


def test_names_can_be_allowed(make: Make) -> None:
    for allowed in ("shop.example", "*"):
        client = make(ServiceSettings(allowed_hosts=(allowed,)), url="http://shop.example")
        assert client.get("/v1/collections").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing_even_on_this_machine(
    make: Make, headers: dict[str, str]
) -> None:
    answer = make().post("/v1/collections/shop/test-write", headers=headers)
    assert answer.status_code == 403
    assert type_of(answer) == "foreign-origin"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
def test_the_own_page_and_programs_may(make: Make, headers: dict[str, str]) -> None:
    assert make().post("/v1/collections/shop/test-write", headers=headers).status_code == 200


def test_other_origins_read_nothing_unless_allowed(make: Make) -> None:
    headers = {"Origin": "https://shop.example"}
    assert "access-control-allow-origin" not in make().get("/v1/collections", headers=headers).headers
    client = make(ServiceSettings(allowed_origins=("https://shop.example",)))
    answer = client.get("/v1/collections", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in answer.headers
    other = client.get("/v1/collections", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    assert client.post("/v1/collections/shop/test-write", headers=headers).status_code == 200


def test_a_refusal_can_be_read_by_the_page_it_was_meant_for(make: Make, keys: KeyFile) -> None:
    settings = ServiceSettings(keys=keys.path, allowed_origins=("https://shop.example",))
    answer = make(settings).get("/v1/collections", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_a_browser_may_ask_first_without_a_key(make: Make, keys: KeyFile) -> None:
    settings = ServiceSettings(keys=keys.path, allowed_origins=("https://shop.example",))
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = make(settings).options("/v1/collections/shop/search", headers=asked)
    assert answer.status_code == 200
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "origin", ["shop.example", "https://shop.example/", "*", "ftp://shop.example", "https://"]
)
def test_an_origin_that_is_none_is_refused(origin: str) -> None:
    with pytest.raises(InputError, match=r"such as https://shop\.example"):
        ServiceSettings(allowed_origins=(origin,))


# rates


def test_a_key_that_asks_too_often_is_told_when_to_ask_again(make: Make, keys: KeyFile) -> None:
    token, _ = keys.create("eager", requests_per_minute=2)
    other, _ = keys.create("calm")
    client = make(ServiceSettings(keys=keys.path), token=token)
    answers = [client.get("/v1/collections") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit"].startswith('"requests";r=1;')
    assert type_of(answers[2]) == "too-many-requests"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
    assert client.get("/v1/collections", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_without_keys_each_address_is_counted(make: Make) -> None:
    client = make(ServiceSettings(requests_per_minute=1))
    assert [client.get("/v1/collections").status_code for _ in range(2)] == [200, 429]


def test_pictures_and_the_page_are_not_counted(make: Make) -> None:
    client = make(ServiceSettings(requests_per_minute=1))
    for path in ("/v1/collections/shop/thumbnails/none", "/", "/live"):
        assert {client.get(path).status_code for _ in range(3)} <= {200, 404}
    assert client.get("/v1/collections").status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[x]:y", "", "null", "http://"])
def test_an_origin_that_is_none_changes_nothing(make: Make, origin: str) -> None:
    answer = make().post("/v1/collections/shop/test-write", headers={"Origin": origin})
    assert (answer.status_code, type_of(answer)) == (403, "foreign-origin")


@pytest.mark.parametrize("name", ["a/b", "/", "", ".", "..", "a\n", "\ud800"])
def test_a_collection_whose_name_cannot_stand_in_an_address_is_refused(empty: Collection, name: str) -> None:
    with pytest.raises(InputError, match="names stand in addresses"):
        create_app({name: empty})
