"""On a machine with several users, only the one who started the gallery may enter without a password."""

from dataclasses import replace

import pytest

from aigen.orders.placing import new_user_id
from aigen.store.hashing import hash_password
from aigen.viewer import server
from aigen.viewer.gallery import Gallery, Launch
from tests.web import Browser


@pytest.fixture
def launched(gallery: Gallery) -> Gallery:
    """The gallery as `aigen serve` starts it on this machine, with a user who has no password."""
    gallery.store.add_user("ana", False, None, gallery.clock())
    return replace(gallery, launch=Launch())


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
    assert "aigen_launch" not in bob.app.cookies


def test_passwords_and_generated_ids_need_no_token(launched: Gallery) -> None:
    launched.store.set_password("ana", hash_password("long enough"))
    assert Browser(launched).post("/login", user_id="ana", password="long enough").status_code == 303
    user_id = new_user_id()
    launched.store.add_user(user_id, True, None, launched.clock())
    assert Browser(launched).post("/login", user_id=user_id).status_code == 303
    assert Browser(launched).post("/register", user_id="bob", password="long enough").status_code == 303


def test_the_address_for_the_browser_works_once(launched: Gallery) -> None:
    """All users of a machine can see the arguments of processes."""
    assert launched.launch
    once = launched.launch.token_for_browser()
    assert once != token(launched)
    assert Browser(launched).get(f"/?token={once}").status_code == 303
    assert Browser(launched).get(f"/?token={once}").status_code == 200
    for wrong in ("", "é", "x" * 5000):
        assert not launched.launch.accepts(wrong)


def test_only_a_gallery_of_this_machine_has_a_token(gallery: Gallery) -> None:
    def launch(host: str, needs_token: bool = True) -> Launch | None:
        return server.gallery(gallery.content, gallery.settings, host, 80, needs_token).launch

    assert launch("127.0.0.1")
    assert launch("127.0.0.1", needs_token=False) is None
    assert launch("0.0.0.0") is None
