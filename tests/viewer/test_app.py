"""Who may do what: sessions, forms, hosts, throttling, links; and that nobody sees what is somebody else's."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aigen.notify import links
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store.hashing import hash_password, hash_token
from aigen.types.request import Draft
from aigen.types.rows import Generation
from aigen.viewer import accounts
from aigen.viewer.app import make_app
from aigen.viewer.gallery import Gallery
from tests.conftest import StillClock, run_aigen, wait_for
from tests.web import Browser

# Names that have broken programs like ours.
HOSTILE = (
    "..", "../aigen.db", "..%2faigen.db", "%2e%2e%2faigen.db", "....//aigen.db", "/etc/passwd", "%2fetc%2fpasswd",
    "C:\\Windows\\win.ini", "\\\\server\\share", "..\\aigen.db", "file:///etc/passwd", "aigen.db", ".work", "%00",
    "a%00.png", "a%0d%0aX: y", "<script>", "%ff%fe", "' OR 1=1 --", "a" * 5000,
)  # fmt: skip


@pytest.fixture
def visit(gallery: Gallery) -> Callable[[], Browser]:
    return lambda: Browser(gallery)


@pytest.fixture
def order(context: Context, request_two: Draft) -> Generation:
    """A finished order of ana's."""
    return lifecycle.generate(context, request_two, "ana")


def actions(gallery: Gallery, user_id: str = "ana") -> list[str]:
    return [row["action"] for row in gallery.store.activity(user_id, 100)][::-1]


# Every route


def routes(gallery: Gallery, order: Generation) -> list[tuple[str, str, bool]]:
    """Method, path and whether it is public, of every route; with what is ana's put in."""
    values = {
        "generation_id": order.generation_id,
        "number": "1",
        "token": "x" * 32,
        "name": f"{order.generation_id}-image-1.png",
        "kind": "image",
    }
    return [
        (
            route.method,
            re.sub(r"<(\w+)[^>]*>", lambda match: values[match[1]], route.rule),
            bool(route.config.get("public")),
        )
        for route in make_app(gallery).routes
    ]


def test_every_private_route_is_closed_without_a_session(gallery: Gallery, order: Generation) -> None:
    seen = []
    for method, path, public in routes(gallery, order):
        answer = Browser(gallery).app.request(path, method=method, expect_errors=True)
        seen.append((method, public))
        if public:
            assert answer.status_code in (200, 303, 403, 404, 410, 415), path
        elif answer.status_code == 303:
            assert answer.headers["Location"].startswith("/login?next="), path
        else:
            assert answer.status_code == 401, path
        assert order.prompt.encode() not in answer.body
    assert len(seen) == 34
    assert sum(not public for _, public in seen) == 23
    assert {path for method, path, public in routes(gallery, order) if public and method == "POST"} == {
        "/register", "/login", f"/open/{'x' * 32}", f"/confirm/{'x' * 32}",
    }  # fmt: skip


def test_what_is_somebody_elses_is_not_there(gallery: Gallery, order: Generation, visit: Callable[[], Browser]) -> None:
    bob = visit().register("bob")
    before = [path for path in gallery.content.root.rglob("*-*") if path.is_file()]
    seen = 0
    for method, path, _ in routes(gallery, order):
        if order.generation_id in path:
            seen += 1
            answer = bob.get(path) if method == "GET" else bob.post(path, form="/text-to-video")
            assert answer.status_code == 404, path
    assert seen == 11
    assert order.prompt not in bob.get("/dash").text
    assert "order" not in bob.get("/progress").text
    assert [path for path in gallery.content.root.rglob("*-*") if path.is_file()] == before


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_everywhere(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser], name: str
) -> None:
    ana = visit()
    ana.post("/login", user_id="ana")
    for path in (
        f"/media/{order.generation_id}/{name}", f"/media/{name}/x.png", f"/archive/{name}.zip",
        f"/videoplayer/{name}/1", f"/videoplayer/{order.generation_id}/{name}", f"/static/{name}", f"/open/{name}",
        f"/{name}",
    ):  # fmt: skip
        answer = ana.app.get("/", extra_environ={"PATH_INFO": path}, expect_errors=True)
        assert 400 <= answer.status_code < 500 or answer.status_code == 303, (path, answer.status)
        assert b"SQLite" not in answer.body
        assert "<script>" not in answer.text.replace('<script src="/static/gallery.js" defer></script>', "")
    for path in (f"/orders/{name}/cancel", f"/orders/{name}/delete", f"/orders/{name}/retry"):
        found = re.search(r'name="csrf" value="(\w+)"', ana.get("/text-to-video").text)
        assert found
        answer = ana.app.post("/x", {"csrf": found[1]}, extra_environ={"PATH_INFO": path}, expect_errors=True)
        assert 400 <= answer.status_code < 500, (path, answer.status)


def test_the_web_process_never_loads_torch(visit: Callable[[], Browser]) -> None:
    script = """
import sys; from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.web import Browser
from aigen.content import ContentFolder
from aigen.settings import Settings
from aigen.viewer.gallery import Gallery
ana = Browser(Gallery(ContentFolder(Path('content').absolute()), Settings({}), frozenset({'localhost:80'}))).register()
assert ana.post('/text-to-video', prompt='a kite', images='1', videos='1').status_code == 303
assert 'a kite' in ana.get('/dash').text
print([name for name in ('torch', 'diffusers', 'av', 'PIL') if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parents[2])], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


# Accounts and sessions


def test_register_order_log_out_and_log_in_again(gallery: Gallery, visit: Callable[[], Browser]) -> None:
    ana = visit().register("ana", "long enough")
    assert ana.get("/").headers["Location"] == "/dash"
    assert "There is nothing here yet" in ana.get("/dash").text
    assert ana.post("/logout", form="/dash").status_code == 303
    assert ana.get("/dash").headers["Location"] == "/login?next=/dash"
    assert ana.post("/login", user_id="ana", password="wrong enough").status_code == 403
    answer = ana.post("/login", user_id="ana", password="long enough", next="/activity")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/activity")
    assert actions(gallery) == ["register", "login", "view", "view", "logout", "login_failed", "login"]
    shown = ana.get("/activity").text
    assert "login failed" in shown
    assert "Test/1 &lt;b&gt;" in shown


def test_a_made_id_is_shown_and_is_enough(gallery: Gallery, visit: Callable[[], Browser]) -> None:
    somebody = visit()
    answer = somebody.post("/register", user_id="", password="")
    assert answer.headers["Location"] == "/dash?new=1"
    (user,) = gallery.store.users()
    assert re.fullmatch(r"[a-z0-9]{4}(-[a-z0-9]{4}){4}", user["user_id"])
    assert user["made"]
    assert user["user_id"] in somebody.get("/dash?new=1").text
    assert visit().post("/login", user_id=user["user_id"]).status_code == 303


def test_registration_takes_over_no_id(gallery: Gallery, order: Generation, visit: Callable[[], Browser]) -> None:
    for user_id in ("ana", "ANA", " ana "):
        answer = visit().post("/register", user_id=user_id, password="long enough")
        assert answer.status_code == 409
        assert "is taken" in answer.text
    assert gallery.store.user("ana")["password_hash"] is None  # type: ignore[index]


@pytest.mark.parametrize(("user_id", "password"), [("a b", ""), ("../x", ""), ("x" * 65, ""), ("ana", "short")])
def test_what_cannot_be_registered_is_told(
    gallery: Gallery, visit: Callable[[], Browser], user_id: str, password: str
) -> None:
    answer = visit().post("/register", user_id=user_id, password=password)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert gallery.store.users() == []


def test_only_a_session_s_own_token_is_a_session(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser], clock: StillClock
) -> None:
    ana = visit()
    ana.post("/login", user_id="ana")
    token = ana.app.cookies["aigen_session"]
    (row,) = gallery.store._read("SELECT * FROM sessions")
    assert token not in row.values()
    for forged in (row["session_hash"], "ana", token[:-1], token + "x", "", "x" * 5000, "é", '"', "!pickle?gASVAAAA"):
        eve = visit()
        eve.app.set_cookie("aigen_session", "x")
        answer = eve.app.get("/dash", headers={"Cookie": f"aigen_session={forged}"}, expect_errors=True)
        assert answer.status_code == 303, forged
    for name in ("X-User", "X-Forwarded-User", "Authorization"):
        assert visit().get("/dash", headers={name: "ana"}).status_code == 303
    clock.advance(30 * 86400)
    assert ana.get("/dash").status_code == 303


def test_a_session_begins_anew_with_each_login(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser]
) -> None:
    ana = visit()
    ana.app.set_cookie("aigen_session", "chosen-by-eve")
    ana.post("/login", user_id="ana")
    cookie = ana.app.cookies["aigen_session"]
    assert cookie != "chosen-by-eve"
    assert len(cookie) == 43


def test_cookies_are_kept_from_scripts_and_other_sites(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser]
) -> None:
    answer = visit().post("/login", user_id="ana")
    (cookie,) = answer.headers.getall("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    secure = Browser(replace(gallery, secure=True), scheme="https").post("/login", user_id="ana")
    assert "Secure" in secure.headers["Set-Cookie"]
    visitor = Browser(replace(gallery, secure=True)).get("/login").headers["Set-Cookie"]
    assert "aigen_visitor" in visitor
    assert "Secure" in visitor


def test_log_out_everywhere_ends_every_session(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser]
) -> None:
    here, there = visit(), visit()
    here.post("/login", user_id="ana")
    there.post("/login", user_id="ana")
    here.post("/logout", form="/activity", everywhere="1")
    assert there.get("/dash").status_code == 303
    assert gallery.store._read("SELECT * FROM sessions") == []


@pytest.mark.parametrize("ending", ["log out everywhere", "a new password"])
def test_links_that_were_sent_end_with_the_sessions(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser], ending: str
) -> None:
    link = links.make(gallery.store, order, gallery.clock)
    here = visit()
    here.post("/login", user_id="ana")
    if ending == "a new password":
        gallery.store.set_password("ana", hash_password("long enough"))
    else:
        here.post("/logout", form="/activity", everywhere="1")
    assert visit().get(f"/open/{link.token}").status_code == 410


def test_a_closed_gallery_lets_nobody_register(gallery: Gallery) -> None:
    closed = replace(gallery, settings=Settings({"AIGEN_REGISTRATION": "closed"}))
    assert Browser(closed).get("/register").status_code == 403
    answer = Browser(closed).post("/register", form="/login", user_id="bob")
    assert (answer.status_code, "Registration is closed here" in answer.text) == (403, True)
    assert not gallery.store.has_user("bob")


def test_an_invitation_lets_one_person_register_within_a_week(gallery: Gallery, clock: StillClock) -> None:
    invited = replace(gallery, settings=Settings({"AIGEN_REGISTRATION": "invite"}))
    assert "ask whoever runs this gallery" in Browser(invited).get("/register").text
    gallery.store.invite(hash_token("token"), clock(), clock() + timedelta(days=7))
    page = Browser(invited).get("/register?invitation=token")
    assert 'name="invitation" value="token"' in page.text
    refused = Browser(invited).post("/register", form="/login", user_id="bob", invitation="other")
    assert refused.status_code == 403
    wrong = Browser(invited).post("/register", form="/login", user_id="not ok", invitation="token")
    assert (wrong.status_code, 'value="token"' in wrong.text) == (400, True), "it is kept for another try"
    assert Browser(invited).post("/register", form="/login", user_id="bob", invitation="token").status_code == 303
    again = Browser(invited).post("/register", form="/login", user_id="eve", invitation="token")
    assert again.status_code == 403
    gallery.store.invite(hash_token("late"), clock(), clock() + timedelta(days=7))
    clock.advance(8 * 24 * 3600)
    assert Browser(invited).get("/register?invitation=late").status_code == 403


def test_all_registrations_together_are_limited(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigen.viewer.visits.REGISTRATIONS", 3)
    proxied = replace(gallery, proxied=True)
    codes = [Browser(proxied).post("/register", user_id=f"user-{number}").status_code for number in range(5)]
    assert codes == [303, 303, 303, 429, 429]


def test_an_invitation_is_printed_as_a_link(tmp_path: Path) -> None:
    done = run_aigen("users", "invite")
    assert done.returncode == 0
    assert re.fullmatch(r"http://127.0.0.1:8000/register\?invitation=[\w-]{32}\n", done.stdout)
    assert "only with AIGEN_REGISTRATION=invite" in done.stderr


def test_a_flood_of_logins_leaves_threads_for_the_others(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.store.set_password("ana", hash_password("long enough"))
    checking, go_on = threading.Semaphore(0), threading.Event()

    def check(password: str, password_hash: str | None) -> bool:
        checking.release()
        return go_on.wait(30)

    monkeypatch.setattr("aigen.viewer.accounts.verify_password", check)
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(visit().post("/login", user_id="ana", password="x").status_code))
        for _ in range(accounts.WAITING)
    ]
    for thread in threads:
        thread.start()
    checking.acquire()
    wait_for(lambda: accounts._entrance._value == 0)
    refused = visit().post("/login", user_id="ana", password="long enough")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "Many people are logging in" in refused.text
    assert visit().get("/static/style.css").status_code == 200
    assert visit().get("/login").status_code == 200
    go_on.set()
    for thread in threads:
        thread.join()
    assert codes == [303] * accounts.WAITING
    assert visit().post("/login", user_id="ana", password="x").status_code == 303


@pytest.mark.parametrize("password", ["password", "Password1", "aaaaaaaa", "iloveyou", "12345678"])
def test_passwords_that_everybody_tries_first_are_refused(gallery: Gallery, password: str) -> None:
    answer = Browser(gallery).post("/register", user_id="bob", password=password)
    assert (answer.status_code, "everybody tries first" in answer.text) == (400, True)
    assert not gallery.store.has_user("bob")


def test_logging_out_clears_what_the_browser_keeps(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser]
) -> None:
    here = visit()
    here.post("/login", user_id="ana")
    assert here.post("/logout", form="/activity").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_where_it_is_reached_by_https_it_stays_so(gallery: Gallery) -> None:
    assert "Strict-Transport-Security" not in Browser(gallery).get("/").headers
    secure = Browser(replace(gallery, secure=True), scheme="https").get("/")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/dash\r\nX: y", "javascript:alert(1)", "/"]
)
def test_after_login_there_is_no_way_to_another_site(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser], target: str
) -> None:
    answer = visit().post("/login", user_id="ana", next=target)
    assert answer.headers["Location"] == "/dash"


def test_where_others_can_reach_it_a_chosen_id_needs_a_password(gallery: Gallery, order: Generation) -> None:
    public = replace(gallery, public=True)
    answer = Browser(public).post("/register", user_id="bob", password="")
    assert answer.status_code == 400
    assert "needs a password" in answer.text
    assert Browser(public).post("/login", user_id="ana").status_code == 403  # ordered from the command line
    gallery.store.set_password("ana", hash_password("long enough"))
    assert Browser(public).post("/login", user_id="ana", password="long enough").status_code == 303
    assert Browser(public).post("/register", user_id="", password="").status_code == 303  # a made id is a secret


def test_failed_logins_have_to_wait(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser], clock: StillClock
) -> None:
    gallery.store.set_password("ana", hash_password("long enough"))
    for _ in range(5):
        assert visit().post("/login", user_id="ana", password="guess guess").status_code == 403
    elsewhere = Browser(gallery, "10.0.0.7")  # whoever guesses locks out only themselves
    assert elsewhere.post("/login", user_id="ana", password="long enough").status_code == 303
    answer = visit().post("/login", user_id="ana", password="long enough")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert visit().post("/login", user_id="ANA", password="long enough").status_code == 429
    clock.advance(901)
    assert visit().post("/login", user_id="ana", password="long enough").status_code == 303


@pytest.mark.system
def test_an_address_that_guesses_ids_has_to_wait(gallery: Gallery, order: Generation, clock: StillClock) -> None:
    for number in range(20):
        assert Browser(gallery, "10.0.0.9").post("/login", user_id=f"user{number}").status_code == 403
    assert Browser(gallery, "10.0.0.9").post("/login", user_id="ana").status_code == 429
    assert Browser(gallery, "10.0.0.8").post("/login", user_id="ana").status_code == 303
    clock.advance(901)
    assert Browser(gallery, "10.0.0.9").post("/login", user_id="ana").status_code == 303


@pytest.mark.system
def test_behind_a_proxy_the_address_says_nothing(gallery: Gallery, order: Generation) -> None:
    proxied = replace(gallery, proxied=True)
    for number in range(25):
        assert Browser(proxied).post("/login", user_id=f"user{number % 12}").status_code == 403
    assert Browser(proxied).post("/login", user_id="ana").status_code == 303


def test_a_new_password_ends_every_session(gallery: Gallery, order: Generation, visit: Callable[[], Browser]) -> None:
    ana = visit()
    ana.post("/login", user_id="ana")
    assert ana.get("/dash").status_code == 200
    gallery.store.set_password("ana", hash_password("long enough"))
    assert ana.get("/dash").status_code == 303


def test_what_is_no_text_is_no_empty_password(gallery: Gallery, visit: Callable[[], Browser]) -> None:
    somebody = visit()
    found = re.search(r'name="csrf" value="(\w+)"', somebody.get("/register").text)
    assert found
    body = f"csrf={found[1]}&user_id=x&password=%ff".encode()
    answer = somebody.app.post("/register", body, content_type="application/x-www-form-urlencoded", expect_errors=True)
    assert answer.status_code == 400
    assert gallery.store.users() == []


def test_an_address_cannot_register_without_end(gallery: Gallery) -> None:
    answers = [Browser(gallery, "10.0.0.9").post("/register", user_id=f"user{number}") for number in range(11)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]


# Links of notices


@pytest.fixture
def token(context: Context, order: Generation) -> str:
    return links.make(context.store, order, context.clock).token


def test_a_link_logs_in_once_and_only_when_its_button_is_pressed(
    gallery: Gallery, order: Generation, token: str, visit: Callable[[], Browser]
) -> None:
    for _ in range(3):  # scanners of mail open links
        assert visit().get(f"/open/{token}").status_code == 200
    somebody = visit()
    answer = somebody.post(f"/open/{token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/dash#{order.generation_id}")
    assert order.prompt in somebody.get("/dash").text
    again = visit().get(f"/open/{token}")
    assert (again.status_code, "has been used or has expired" in again.text) == (410, True)
    assert visit().post(f"/open/{token}", form="/login").status_code == 410
    assert actions(gallery)[:1] == ["login"]


def test_who_is_logged_in_needs_no_button(order: Generation, token: str, visit: Callable[[], Browser]) -> None:
    ana = visit()
    ana.post("/login", user_id="ana")
    assert ana.get(f"/open/{token}").headers["Location"] == f"/dash#{order.generation_id}"
    assert visit().get(f"/open/{token}").status_code == 200  # and it is not used up


def test_a_link_expires(order: Generation, token: str, visit: Callable[[], Browser], clock: StillClock) -> None:
    clock.advance(7 * 86400)
    assert visit().get(f"/open/{token}").status_code == 410
    assert visit().post(f"/open/{token}", form="/login").status_code == 410


# Forms, hosts, headers


def test_a_form_from_elsewhere_is_refused(gallery: Gallery, order: Generation, visit: Callable[[], Browser]) -> None:
    ana, eve = visit(), visit().register("eve")
    ana.post("/login", user_id="ana")
    path = f"/orders/{order.generation_id}/delete"
    found = re.search(r'name="csrf" value="(\w+)"', eve.get("/text-to-video").text)
    assert found
    for csrf in ("", "x", found[1], ana.app.cookies["aigen_session"]):
        assert ana.app.post(path, {"csrf": csrf}, expect_errors=True).status_code == 403
    assert ana.app.post_json(path, {"csrf": "x"}, expect_errors=True).status_code == 415
    assert ana.app.post(path, upload_files=[("csrf", "x.txt", b"x")], expect_errors=True).status_code == 415
    assert gallery.store.generation(order.generation_id) is not None
    own = re.search(r'name="csrf" value="(\w+)"', ana.get("/text-to-video").text)
    assert own
    assert ana.app.post(path, {"csrf": own[1]}).status_code == 303


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost:81", "localhost.evil.example", "", "127.0.0.1@evil", "localhost:80,x"]
)
def test_another_host_is_refused(gallery: Gallery, host: str) -> None:
    browser = Browser(gallery)
    answer = browser.app.get("/", extra_environ={"HTTP_HOST": host}, expect_errors=True)
    assert answer.status_code == 421
    assert "evil" not in answer.text
    assert "That is not my name" in answer.text
    style = browser.app.get("/static/style.css", extra_environ={"HTTP_HOST": host}, expect_errors=True)
    assert style.status_code == 200
    forwarded = browser.app.get("/login", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in forwarded.text


def test_listening_anywhere_it_goes_by_every_address(gallery: Gallery) -> None:
    anywhere = Browser(replace(gallery, anywhere=80))
    for host, code in (
        ("192.168.1.5:80", 200),
        ("[fe80::1]:80", 200),
        ("evil.example:80", 421),
        ("192.168.1.5:81", 421),
    ):
        assert anywhere.app.get("/", extra_environ={"HTTP_HOST": host}, expect_errors=True).status_code == code


@pytest.mark.parametrize("path", ["/", "/login", "/dash", "/nonesuch", "/static/style.css", "/static/nonesuch.css"])
def test_every_answer_keeps_itself_to_itself(visit: Callable[[], Browser], path: str) -> None:
    headers = visit().get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Cache-Control" in headers


def test_no_page_has_scripts_or_styles_of_its_own(
    gallery: Gallery, order: Generation, visit: Callable[[], Browser]
) -> None:
    ana = visit()
    ana.post("/login", user_id="ana")
    for path in (
        "/",
        "/dash",
        "/text-to-video",
        "/image-to-video",
        "/activity",
        f"/videoplayer/{order.generation_id}/1",
    ):
        text = ana.get(path).text
        assert not re.search(r"<script(?! src=)| on\w+=| style=|https?://", text), path


def test_an_error_of_ours_shows_no_traceback(gallery: Gallery, visit: Callable[[], Browser]) -> None:
    ana = visit().register()
    broken = Gallery(**{**vars(gallery), "load": lambda name: 1 / 0})  # type: ignore[arg-type]
    other = Browser(broken)
    other.app.set_cookie("aigen_session", ana.app.cookies["aigen_session"])
    answer = other.post("/text-to-video", prompt="a kite", images="1", videos="0")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "Something went wrong here" in answer.text
