"""The page is files of one folder and nothing else; where it is not built, a page says how."""

import http.client

import pytest


@pytest.fixture
def built(tmp_path):
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>gemel</title>")
    (page / "assets" / "main-1a2b.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("secret")
    (page / "link.txt").symlink_to(tmp_path / "secret.txt")
    return page


def raw_get(server, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest(method, path)
    connection.endheaders()
    got = connection.getresponse()
    body = got.read()
    connection.close()
    return got, body


def test_a_page_that_is_not_built_says_how_and_the_api_answers(server, anybody):
    got, body = raw_get(server, "/")
    assert got.status == 200
    assert b"make page" in body
    assert anybody.get("/health").status_code == 200


def test_files_are_served_and_hashed_ones_kept_for_ever(built, server):
    got, body = raw_get(server, "/")
    assert (got.status, got.headers["cache-control"]) == (200, "no-cache")
    assert b"<title>gemel</title>" in body
    got, body = raw_get(server, "/assets/main-1a2b.js")
    assert (got.status, body) == (200, b"export {}")
    assert "immutable" in got.headers["cache-control"]
    assert got.headers["content-type"].startswith("text/javascript")


def test_a_file_that_has_not_changed_is_not_sent_again(built, server):
    etag = raw_get(server, "/")[0].headers["etag"]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/", headers={"If-None-Match": etag})
    got = connection.getresponse()
    got.read()
    connection.close()
    assert got.status == 304


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/secret.txt",
     "//etc/passwd", "/link.txt", "/%00", "/assets/", "/" + "x" * 5000, "/nothing.js", "/..%5csecret.txt"],
)  # fmt: skip
def test_nothing_outside_the_folder_is_served(built, server, path):
    got, body = raw_get(server, path)
    assert got.status == 404
    assert b"secret" not in body
    assert b"root:" not in body


def test_only_reading_is_possible(built, server):
    got, _ = raw_get(server, "/index.html", "DELETE")
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")
    got, body = raw_get(server, "/index.html", "HEAD")
    assert (got.status, body) == (200, b"")


def test_every_answer_says_what_a_browser_may_do_with_it(built, server):
    for path in ("/", "/api/v1/health", "/api/v1/nothing", "/nothing", "/assets/main-1a2b.js"):
        headers = raw_get(server, path)[0].headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert raw_get(server, "/api/v1/health")[0].headers["cache-control"] == "no-store"
