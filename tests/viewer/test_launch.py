"""On a machine with several users, only the one who started the gallery may enter without a password."""

from dataclasses import replace
from pathlib import Path

import pytest

from aigen.content import ContentFolder
from aigen.orders.placing import new_user_id
from aigen.store.hashing import hash_password
from aigen.viewer import server
from aigen.viewer.gallery import Gallery, Launch
from tests.web import Browser


@pytest.fixture
def launched(gallery: Gallery) -> Gallery:
    """The gallery as `aigen serve` starts it on this machine, with a user who has no password."""
    gallery.store.add_user("ana", False, None, gallery.clock())
    return replace(gallery, launch=Launch(80))


def token(gallery: Gallery) -> str:
    assert gallery.launch
    return gallery.launch.token


def test_other_users_of_this_machine_cannot_log_in_or_register_without_a_password(launched: Gallery) -> None:
    for path, user_id in (("/login", "ana"), ("/login", "nobody"), ("/register", "eve"), ("/register", "")):
        eve = Browser(launched)
        answer = eve.post(path, user_id=user_id)
        assert (answer.status_code, "aigen serve has printed" in answer.text) == (403, True), (path, user_id)
        assert 'name="token"' in answer.text
        assert eve.get("/dash").status_code == 303
        assert eve.post(path, user_id=user_id, token="x").status_code == 403
    assert [user["user_id"] for user in launched.store.users()] == ["ana"]


@pytest.mark.parametrize("path", ["/", "/login", "/dash"])
def test_the_printed_address_lets_its_user_in(launched: Gallery, path: str) -> None:
    ana = Browser(launched)
    answer = ana.get(f"{path}?next=/activity&token={token(launched)}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?next=%2Factivity"), "not in the history"
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert 'name="token"' not in ana.get("/login").text
    assert ana.post("/login", user_id="ana").status_code == 303
    assert Browser(launched).register("bob", "long enough").get("/dash").status_code == 200


def test_a_pasted_token_is_as_good_and_remembered(launched: Gallery) -> None:
    ana = Browser(launched)
    assert ana.post("/login", user_id="ana", token=f" {token(launched)} ").status_code == 303
    ana.post("/logout", form="/activity")
    assert ana.post("/login", user_id="ana").status_code == 303


def test_a_wrong_token_beside_a_right_password_is_not_remembered(launched: Gallery) -> None:
    launched.store.add_user("bob", False, hash_password("long enough"), launched.clock())
    bob = Browser(launched)
    assert bob.post("/login", user_id="bob", password="long enough", token="x").status_code == 303
    assert "aigen_launch_80" not in bob.app.cookies


def test_passwords_and_generated_ids_need_no_token(launched: Gallery) -> None:
    launched.store.set_password("ana", hash_password("long enough"))
    assert Browser(launched).post("/login", user_id="ana", password="long enough").status_code == 303
    user_id = new_user_id()
    launched.store.add_user(user_id, True, None, launched.clock())
    assert Browser(launched).post("/login", user_id=user_id).status_code == 303
    assert Browser(launched).post("/register", user_id="bob", password="long enough").status_code == 303


def test_anything_else_is_no_token(launched: Gallery) -> None:
    assert launched.launch
    for wrong in ("", "é", "x" * 5000, token(launched)[:-1]):
        assert not launched.launch.accepts(wrong)


def test_guessing_without_the_token_locks_nobody_out_who_has_it(launched: Gallery) -> None:
    for _ in range(30):
        assert Browser(launched).post("/login", user_id="ana").status_code == 403
        assert Browser(launched).post("/login", user_id="ana", password="wrong enough").status_code in (403, 429)
    ana = Browser(launched)
    ana.get(f"/?token={token(launched)}")
    assert ana.post("/login", user_id="ana").status_code == 303
    assert {row["action"] for row in launched.store.activity("ana", 99)} >= {"login_refused", "login_failed"}


def test_the_browser_stays_launched_when_its_user_logs_out(launched: Gallery) -> None:
    ana = Browser(launched)
    ana.get(f"/?token={token(launched)}")
    ana.post("/login", user_id="ana")
    answer = ana.post("/logout", form="/activity")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert ana.get("/dash").status_code == 303
    assert ana.post("/login", user_id="ana").status_code == 303


def test_galleries_on_other_ports_have_cookies_of_their_own() -> None:
    assert Launch(8000).cookie != Launch(8001).cookie


def test_no_argument_of_a_process_tells_the_token(tmp_path: Path) -> None:
    """All users of a machine can see them, and the browser gets the address as one."""
    content = ContentFolder(tmp_path / "content")
    content.check_writable()
    with server._page_that_opens(content, "http://127.0.0.1:8000/?token=secret") as url:
        assert url == (content.making / "launch.html").as_uri()
        page = content.making / "launch.html"
        assert "url=http://127.0.0.1:8000/?token=secret" in page.read_text()
        assert page.stat().st_mode & 0o077 == 0
    assert not page.exists()


def test_only_a_gallery_of_this_machine_has_a_token(gallery: Gallery) -> None:
    def launch(host: str, needs_token: bool = True) -> Launch | None:
        return server.gallery(gallery.content, gallery.settings, host, 80, needs_token).launch

    assert launch("127.0.0.1")
    assert launch("127.0.0.1", needs_token=False) is None
    assert launch("0.0.0.0") is None
