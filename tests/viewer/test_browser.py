"""The gallery in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import aigen
from tests.conftest import kill, kill_worker, run_aigen, wait_for
from tests.photos import as_jpeg
from tests.viewer.test_server import Server, order, orders

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
        found.goto(server.address)  # as the user does who reads what aigen serve prints
        found.set_default_timeout(WAIT)
        found.on("console", lambda message: said.append(message.text))
        found.on("pageerror", lambda error: said.append(str(error)))
        found.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith(server.url) else None)
        yield found
        chromium.close()
    refused = "Failed to load resource: the server responded with a status of 400 (Bad Request)"  # a form with an error
    told = "Clear-Site-Data header on "  # Chromium says what it has cleared
    assert [text for text in said if text != refused and not text.startswith(told)] == []


def test_register_order_wait_play_seek_download_log_out_and_in_again(page: "Page", tmp_path: Path) -> None:
    page.goto("/")
    page.get_by_role("link", name="Start: no email needed").click()
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
    for path in ("/", "/dash", "/text-to-video", "/image-to-video", "/activity", "/login", "/register", "/nonesuch"):
        phone.goto(path)
        assert phone.locator("html").bounding_box()["width"] == 390, path  # type: ignore[index]
        assert phone.locator("body").evaluate("body => body.ownerDocument.documentElement.scrollWidth") == 390, path


def test_a_picture_is_uploaded_seen_and_set_in_motion(page: "Page", tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    picture = tmp_path / "cat.jpg"
    picture.write_bytes(as_jpeg("chelsea.png"))
    page.goto("/")
    page.get_by_role("link", name="Image to Video").click()  # not before somebody has logged in
    page.get_by_role("link", name="Register").first.click()
    page.get_by_label("User id").fill("ana")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("link", name="New order").first.click()
    page.get_by_role("link", name="From a picture").click()
    wrong = tmp_path / "text.png"
    wrong.write_text("no picture")
    page.get_by_label("Images").fill("1")
    page.get_by_label("Videos").fill("1")
    page.get_by_label("Your picture").set_input_files(wrong)
    page.get_by_role("button", name="Order").click()
    page.get_by_text("picture 'text.png' cannot be read").wait_for()
    assert axe.run(page).response["violations"] == []
    page.get_by_label("Your picture").set_input_files(picture)
    page.locator("#preview").wait_for()
    page.get_by_role("button", name="Order").click()
    page.get_by_role("link", name="Watch video 1").click()
    video = page.locator("video")
    video.evaluate("video => video.play()")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    page.get_by_role("heading", name="In your picture").wait_for()
    assert "A cat" in page.locator(".seen p").inner_text()
    assert not page.locator(".boxes").is_visible()
    page.get_by_text("Show where").click()
    small = page.locator(".boxes img")
    assert small.evaluate("image => image.decode().then(() => image.naturalWidth)") == 451
    image, box = small.bounding_box(), page.locator(".boxes rect").bounding_box()
    assert image
    assert box
    assert image["x"] - 5 <= box["x"] < box["x"] + box["width"] <= image["x"] + image["width"] + 5
    assert image["y"] - 5 <= box["y"] < box["y"] + box["height"] <= image["y"] + image["height"] + 5
    assert axe.run(page).response["violations"] == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    (made,) = Path("generated_content/ana").glob("*.mp4")
    assert Path(download.value.path()).read_bytes() == made.read_bytes()


@pytest.fixture
def ready(page: "Page", server: Server) -> str:
    """The id of an order of ana's, with two pictures and a video, in whose session the page is."""
    small = ("--images", 2, "--videos", 1, "--size", "320x180", "--no-wait")
    assert run_aigen("generate", "a kite", "--user", "ana", *small).returncode == 0
    page.goto("/login")
    page.get_by_label("User id").fill("ana")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    return str(orders()[0]["generation_id"])


def test_the_lightbox_by_keyboard_alone(page: "Page", ready: str) -> None:
    first = page.locator("a.open").first
    first.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog")
    box.get_by_text("Image 1: a kite").wait_for()
    page.wait_for_function("() => document.querySelector('dialog img').src.endsWith('image-1.png')")
    page.keyboard.press("ArrowRight")
    box.get_by_text("Image 2: a kite").wait_for()
    page.keyboard.press("ArrowRight")
    box.get_by_text("Image 1: a kite").wait_for()
    page.keyboard.press("+")
    assert box.get_by_role("button", name="Zoom").get_attribute("aria-pressed") == "true"
    assert (box.get_by_role("link", name="Details").get_attribute("href") or "").endswith(f"/picture/{ready}/1")
    page.keyboard.press("Escape")
    box.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.className") == "open"


def test_several_are_selected_downloaded_and_deleted(page: "Page", ready: str, tmp_path: Path) -> None:
    bar = page.get_by_role("form", name="What is selected")
    assert not bar.is_visible()
    page.get_by_label("Select image 1").check()
    page.get_by_label("Select video 1").check()
    bar.get_by_text("2 selected").wait_for()
    with page.expect_download() as download:
        bar.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == [f"{ready}-image-1.png", f"{ready}-video-1.mp4"]
    page.on("dialog", lambda dialog: dialog.accept())
    bar.get_by_role("button", name="Delete").click()
    page.wait_for_function("() => document.querySelectorAll('.tile').length === 1")
    assert [path.name for path in Path("generated_content/ana").iterdir()] == [f"{ready}-image-2.png"]


def test_the_form_says_what_a_time_means_and_how_long_it_takes(page: "Page", ready: str, server: Server) -> None:
    server.post("/login", "/login", user_id="ana", password="")
    order(server, prompt="a kite", images=1, videos=1)  # of the usual size, which the form reckons with
    wait_for(lambda: server.get("/progress") == "{}")
    page.goto("/text-to-video")
    assert page.locator("#estimate").inner_text().startswith("It takes about ")
    before = page.locator("#estimate").inner_text()
    page.get_by_label("Videos").fill("20")
    page.wait_for_function("before => document.querySelector('#estimate').textContent !== before", arg=before)
    page.get_by_label("Tell me at").fill("tomorrow 07:00")
    page.get_by_text("That is 07:00 tomorrow.").wait_for()
    page.get_by_label("What shall they show?").fill("a red kite")
    page.get_by_label("watercolour").check()
    page.get_by_label("Tell me at").fill("25:00")
    page.get_by_role("button", name="Order").click()
    field = page.get_by_label("Tell me at")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.locator("#error-notify_at").inner_text().startswith("time '25:00' is not known")
    assert page.get_by_label("What shall they show?").input_value() == "a red kite"
    assert page.get_by_label("watercolour").is_checked()


def test_axe_finds_nothing_serious(page: "Page", ready: str) -> None:
    """On every page, light and dark; the rules are those of axe-core."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = page.context
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in (
            "/dash", "/dash?search=nonesuch", "/text-to-video", "/image-to-video", "/activity",
            f"/videoplayer/{ready}/1", f"/picture/{ready}/1",
        ):  # fmt: skip
            page.goto(path)
            found = axe.run(page).response["violations"]
            assert [(path, scheme, rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
        page.goto("/dash")
        page.locator("a.open").first.click()
        page.get_by_role("dialog").wait_for()
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in axe.run(page).response["violations"]] == []
        page.keyboard.press("Escape")
    context.clear_cookies()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in ("/", "/login", "/register"):
            page.goto(path)
            found = axe.run(page).response["violations"]
            assert [(path, scheme, rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


def test_what_is_ours_to_load_is_small(server: Server) -> None:
    folder = Path(aigen.__file__).parent / "viewer" / "static"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".css", ".js")) < 100_000
