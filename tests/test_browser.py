"""The gallery in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import kill, kill_worker
from test_serve import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.system

WAIT = 120_000  # milliseconds


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    kill(found.process)
    kill_worker(Path("generated_content"), 9)


@pytest.fixture
def page(server: Server) -> Iterator["Page"]:
    """A page of a new visitor; every message on its console is an error of ours."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make test-system does)")
    browser = shutil.which("chromium")
    if not browser:
        pytest.skip("chromium is not installed (Debian: chromium)")
    said: list[str] = []
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser)
        context = chromium.new_context(base_url=server.url, accept_downloads=True)
        found = context.new_page()
        found.set_default_timeout(WAIT)
        found.on("console", lambda message: said.append(message.text))
        found.on("pageerror", lambda error: said.append(str(error)))
        found.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith(server.url) else None)
        yield found
        chromium.close()
    assert said == []


def test_register_order_wait_play_seek_download_log_out_and_in_again(page: "Page", tmp_path: Path) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Register").click()
    page.get_by_label("User id").fill("ana")
    page.get_by_label("Password").fill("long enough")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("link", name="Order your first").click()
    page.get_by_label("What shall they show?").fill("a kite over the <sea>")
    page.get_by_label("Images").fill("2")
    page.get_by_label("Videos").fill("1")
    page.get_by_role("button", name="Order").click()
    page.get_by_text("Your content is being generated. Please check back later.").wait_for()
    page.get_by_role("link", name="Watch video 1").wait_for()  # the page follows by itself
    page.get_by_text("Your content is being generated").wait_for(state="detached")
    assert page.get_by_role("heading", name="a kite over the <sea>").count() == 1
    assert page.locator(".images img").count() == 2
    assert page.locator(".images img").first.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")

    page.get_by_role("link", name="Watch video 1").click()
    video = page.locator("video")
    video.evaluate("video => video.play()")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [1280, 720]
    video.evaluate("video => { video.currentTime = 3; }")
    page.wait_for_function("() => document.querySelector('video').currentTime >= 3")
    assert video.evaluate("video => video.getVideoPlaybackQuality().totalVideoFrames") > 5

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    saved = tmp_path / "saved.mp4"
    download.value.save_as(saved)
    (made,) = Path("generated_content/ana").glob("*.mp4")
    assert (download.value.suggested_filename, saved.read_bytes()) == (made.name, made.read_bytes())

    page.get_by_role("button", name="Log out").click()
    page.goto("/dash")
    assert page.url.endswith("/login?next=/dash")
    page.get_by_label("User id").fill("ana")
    page.get_by_label("Password").fill("long enough")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    assert page.get_by_role("heading", name="a kite over the <sea>").count() == 1
    page.get_by_role("link", name="Activity").click()
    assert page.get_by_role("cell", name="logout").count() == 1


def test_every_page_fits_a_phone_and_works_without_scripts(page: "Page", server: Server) -> None:
    server.post("/register", "/register", user_id="ana", password="long enough")
    browser = page.context.browser
    assert browser
    phone = browser.new_context(
        base_url=server.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
    ).new_page()
    phone.set_default_timeout(WAIT)
    phone.goto("/login")
    phone.get_by_label("User id").fill("ana")
    phone.get_by_label("Password").fill("long enough")
    phone.get_by_role("main").get_by_role("button", name="Log in").click()
    phone.goto("/text-to-video")
    phone.get_by_label("What shall they show?").fill("x" * 300)
    phone.get_by_label("Images").fill("1")
    phone.get_by_label("Videos").fill("0")
    phone.get_by_role("button", name="Order").click()
    phone.get_by_role("link", name="Download image 1").wait_for()  # the page reloads itself
    for path in ("/", "/dash", "/text-to-video", "/activity", "/login", "/register"):
        phone.goto(path)
        assert phone.locator("html").bounding_box()["width"] == 390, path  # type: ignore[index]
        assert phone.locator("body").evaluate("body => body.ownerDocument.documentElement.scrollWidth") == 390, path
