"""Orders by hosted models, as users place them."""

import io
import json
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import Base

from aigen import pipelines
from aigen.media import c2pa
from aigen.orders import placing, worker
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store import Store
from aigen.types.request import Draft
from aigen.viewer.gallery import Gallery
from tests.conftest import run_aigen, run_process
from tests.pipelines.hosted.conftest import QUICK, Shop
from tests.pipelines.hosted.stand_in import (
    KEY,
    LOST,
    OpenAIStandIn,
    Reply,
    RunwayStandIn,
    error,
    standing_in,
    wait_until,
)


def test_images_and_videos_of_two_providers_are_made_side_by_side(runway: Shop, openai: Shop) -> None:
    """OpenAI answers only when Runway has sold its videos, which come after the images in the order."""
    environment = runway.environment | openai.environment
    openai.server.block("create")

    def unblock() -> None:
        wait_until(lambda: len(runway.server.sales) == 2)
        openai.server.unblock()

    threading.Thread(target=unblock, daemon=True).start()
    done = runway.run(
        "generate", "kites", "--image-model", "openai", "--video-model", "runway", "--images", "2", "--videos", "2",
        "--max-cost", "5", environment=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [len(shop.server.sales) for shop in (runway, openai)] == [2, 2]


def test_side_by_side_a_wrong_key_costs_one_request_for_both(runway: Shop) -> None:
    runway.server.creations = [error(401, "no") for _ in range(9)]
    done = runway.run("generate", "kites", "--model", "runway", "--images", "3", "--videos", "3", "--yes")
    assert done.returncode == 1
    assert len(runway.server.submissions()) == 1
    runway.server.creations = []
    assert runway.resume().returncode == 0
    assert len(runway.server.sales) == 6


@pytest.mark.system
def test_what_one_provider_refuses_does_not_lose_what_the_other_has_sold(runway: Shop, openai: Shop) -> None:
    environment = runway.environment | openai.environment
    openai.server.creations = [error(402, "empty")]
    runway.server.polls = [{"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}] * 50
    done = runway.run(
        "generate", "kites", "--image-model", "openai", "--video-model", "runway", "--images", "2", "--videos", "2",
        "--yes", environment=environment,
    )  # fmt: skip
    assert (done.returncode, "no credit left" in done.stderr) == (1, True)
    sold = len(runway.server.sales)
    assert runway.run("resume", runway.order_id, environment=environment).returncode == 0
    assert (len(runway.server.sales), len(openai.server.sales)) == (2, 2)
    assert sold <= 2


def test_the_estimate_is_told_and_limits_hold_before_anything_is_sent(runway: Shop) -> None:
    done = runway.run("generate", "kites", "--model", "runway", "--images", "0", "--videos", "5")
    assert (done.returncode, "about $3.00" in done.stderr) == (2, True)
    done = runway.run("generate", "kites", "--model", "runway", "--images", "0", "--videos", "5", "--max-cost", "2")
    assert (done.returncode, "more than --max-cost 2" in done.stderr) == (2, True)
    done = runway.run("generate", "kites", "--images", "0", "--videos", "1", "--video-model", "runway:new_one")
    assert (done.returncode, "the cost of this order is unknown" in done.stderr) == (2, True)
    assert runway.server.seen == []
    done = runway.run("generate", "kites", "--images", "0", "--videos", "1", "--video-model", "runway:new_one", "--yes")
    assert done.returncode == 0
    assert json.loads(runway.server.submissions()[0].body)["model"] == "new_one"


def test_a_provider_that_asks_more_than_its_price_meets_the_limit(runway: Shop) -> None:
    runway.server.credits = 200
    done = runway.order(5, "--max-cost", "5")
    assert (done.returncode, "more than --max-cost 5" in done.stderr) == (1, True)
    assert len(runway.server.submissions()) == 2, "two of $2.00 each: a third is too much"


def test_what_a_model_really_asks_is_remembered_over_a_resume(runway: Shop) -> None:
    runway.server.credits = 200
    assert runway.order(5, "--max-cost", "5").returncode == 1
    assert len(runway.server.sales) == 2
    assert runway.resume().returncode == 1
    assert len(runway.server.sales) == 2


def test_what_each_model_asks_is_known_before_much_is_bought(runway: Shop) -> None:
    runway.server.credits = 200
    runway.run("generate", "a kite", "--model", "runway", "--images", "5", "--videos", "5", "--max-cost", "5")
    assert len(runway.server.sales) <= 3, "the first video was thought to be cheaper, and nothing after it"


def test_what_an_image_really_costs_counts_for_the_next(openai: Shop) -> None:
    openai.server.tokens = 1756
    done = openai.order(5, "--max-cost", "0.1")
    assert (done.returncode, "more than --max-cost 0.1" in done.stderr) == (1, True)
    assert len(openai.server.sales) == 1


def test_a_budget_of_web_users_holds_when_the_worker_buys(gallery: Gallery, runway: Shop) -> None:
    runway.server.credits = 200
    values = runway.environment | {"AIGEN_WEB_PAID": "1", "AIGEN_USER_MONTHLY_COST": "3"}
    shown = replace(gallery, settings=Settings(values), load=pipelines.load)
    placing.place(shown.agreeing(3.0), Draft(prompt="a kite", images=0, videos=5, model="runway"), "ana", detached=True)
    with Store.open(gallery.content) as store:
        worker.work(Context(gallery.content, store, settings=Settings(values)), lambda seconds: None, once=True)
        (order,) = store.generations()
    assert "it costs more than was expected, by about $1.00, but only $0.00 of your $3.00" in str(order.error)
    assert len(runway.server.sales) == 1


def test_a_folder_of_somebody_else_cannot_send_the_key_elsewhere(runway: Shop, tmp_path: Path) -> None:
    with standing_in("runway", tmp_path / "thief") as thief:
        (tmp_path / ".env").write_text(f"RUNWAYML_BASE_URL={thief.address}\n")
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("RUNWAYML_API_SECRET", KEY)
            done = run_aigen(*runway.arguments(1), "--content", runway.content, environment=QUICK)
        assert done.returncode == 2
        assert "come from several sources (RUNWAYML_API_SECRET in the environment, RUNWAYML_BASE_URL in" in done.stderr
        assert thief.seen == []
        (tmp_path / ".env").write_text(f"RUNWAYML_BASE_URL={thief.address}\nRUNWAYML_API_SECRET={KEY}\n")
        assert run_aigen(*runway.arguments(1), "--content", runway.content, environment=QUICK).returncode == 0
        assert len(thief.sales) == 1
    (tmp_path / ".env").unlink()


def test_what_is_asked_for_goes_out_as_the_provider_wants_it(runway: Shop) -> None:
    done = runway.order(1, "--size", "900x1600", "--duration", "8", "--style", "watercolour")
    assert done.returncode == 0
    (sent,) = runway.server.submissions()
    assert sent.path == "/v1/text_to_video"
    assert json.loads(sent.body) == {
        "model": "gen4.5", "promptText": "watercolour painting of three red kites, soft washes, paper texture",
        "ratio": "720:1280", "duration": 8, "seed": 7,
    }  # fmt: skip
    assert "runway:gen4.5 makes videos of 720x1280, which is nearest to 900x1600" in done.stderr


def photo(path: Path) -> Path:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.ImageDescription] = "Camera of Ana", "at her home"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    Image.effect_noise((800, 600), 80).convert("RGB").save(path, exif=exif, quality=95)
    assert b"Camera of Ana" in path.read_bytes()
    return path


def test_a_picture_of_the_users_goes_to_runway_without_its_metadata(runway: Shop, tmp_path: Path) -> None:
    picture = photo(tmp_path / "photo.jpg")
    done = runway.run(
        "generate", "waves roll in", "--images", "1", "--videos", "1", "--model", "runway", "--from-image", picture,
        "--max-cost", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "your picture goes to Runway" in done.stderr
    bodies = {seen.path: json.loads(seen.body) for seen in runway.server.submissions()}
    assert set(bodies) == {"/v1/image_to_video", "/v1/text_to_image"}
    video = bodies["/v1/image_to_video"]
    assert (video["model"], video["ratio"], video["promptText"]) == ("gen4_turbo", "1104:832", "waves roll in")
    check_bare(video["promptImage"])
    check_bare(bodies["/v1/text_to_image"]["referenceImages"][0]["uri"])
    assert all(b"Camera of Ana" not in seen.body for seen in runway.server.seen)


def check_bare(uri: str) -> None:
    """Check that a data URL holds a JPEG with nothing but pixels."""
    import base64

    data = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
    assert len(uri) < 5_000_000
    with Image.open(io.BytesIO(data)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}


def test_a_picture_of_the_users_is_edited_by_openai_without_its_metadata(openai: Shop, tmp_path: Path) -> None:
    picture = photo(tmp_path / "photo.jpg")
    done = openai.order(1, "--from-image", picture)
    assert done.returncode == 0, done.stderr
    (sent,) = openai.server.submissions()
    assert sent.path == "/v1/images/edits"
    assert b"\xff\xd8\xff" in sent.body
    assert b"Camera of Ana" not in sent.body
    assert b"GPS" not in sent.body
    assert openai.items[0].parameters
    info = json.loads(run_aigen("info", openai.files[0], "--json").stdout)
    assert info["mark"] == "compositeWithTrainedAlgorithmicMedia"


def test_the_limit_of_prompts_is_checked_for_each_style(runway: Shop, tmp_path: Path) -> None:
    done = runway.run(
        "generate", "x" * 990, "--images", "5", "--videos", "0", "--model", "runway", "--from-image",
        photo(tmp_path / "photo.jpg"), "--yes",
    )  # fmt: skip
    assert (done.returncode, "its limit is 1000" in done.stderr) == (2, True)
    assert runway.server.seen == []


def test_the_pictures_that_a_video_starts_from_are_bought_once(runway: Shop) -> None:
    done = runway.run(
        "generate", "a kite", "--images", "0", "--videos", "2", "--video-model", "runway:gen4_turbo", "--image-model",
        "runway", "--user", "ana", "--yes",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(runway.server.sales) == 4
    assert runway.status["cost"] == 1.0
    assert {tuple(sorted(item.job)) for item in runway.items} == {("item", "picture")}


@pytest.mark.system
def test_a_film_by_hosted_pictures_buys_each_once_over_a_lost_answer(openai: Shop) -> None:
    openai.server.creations = [None, LOST]  # type: ignore[list-item]
    text = "The keeper lit the lamp. A ship passed by. The night was long."
    done = openai.run(
        "narrate", text, "--model", "openai", "--scenes", "3", "--size", "64x48", "--fps", "5", "--user", "ana", "--yes"
    )
    assert (done.returncode, "may have been paid for" in done.stderr) == (1, True), done.stderr
    sold = len(openai.server.sales)
    assert openai.resume().returncode == 1
    assert openai.resume("--buy-again").returncode == 0
    assert len(openai.server.sales) - sold <= 2
    assert openai.status["status"] == "Completed"


# Files


def png(signed: bool) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "PNG")
    data = file.getvalue()
    chunk = struct.pack(">I", 4) + b"caBXjumb" + struct.pack(">I", zlib.crc32(b"caBXjumb"))
    return data[:33] + chunk + data[33:] if signed else data


def jpg(signed: bool) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "JPEG")
    data = file.getvalue()
    segment = b"\xff\xeb" + struct.pack(">H", 22) + b"JP\0\1\0\0\0\1" + b"jumbc2pa\0\0\0\0"
    return data[:20] + segment + data[20:] if signed else data


def webp(signed: bool) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "WEBP", lossless=True, exif=b"Exif\0\0" if signed else b"")
    data = file.getvalue()
    if signed:
        data += b"C2PA" + struct.pack("<I", 4) + b"jumb"
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    return data


@pytest.mark.parametrize("make", [png, jpg, webp])
def test_a_signed_file_is_kept_byte_for_byte_and_says_what_it_is_beside(openai: Shop, make: type) -> None:
    data = make(True)
    openai.server.creations = [answer(openai, data)]
    done = openai.order(1)
    assert done.returncode == 0, done.stderr
    beside, file = sorted(openai.files, key=lambda path: path.suffix != ".json")
    assert file.read_bytes() == data
    assert (beside.suffix, beside.stem) == (".json", file.stem)
    info = json.loads(run_aigen("info", file, "--json").stdout)
    assert (info["prompt"], info["model"], info["mark"]) == (
        "three red kites", "openai:gpt-image-2.6-flare", "trainedAlgorithmicMedia",
    )  # fmt: skip
    again = openai.run("generate", "--from-info", file, "--yes")
    assert again.returncode == 0, again.stderr
    assert openai.run("users", "delete", "ana", "--yes").returncode == 0
    assert not file.exists()
    assert not beside.exists()


@pytest.mark.parametrize(("make", "suffix"), [(png, ".png"), (jpg, ".jpg"), (webp, ".png")])
def test_an_unsigned_file_says_what_it_is_itself(openai: Shop, make: type, suffix: str) -> None:
    openai.server.creations = [answer(openai, make(False))]
    assert openai.order(1).returncode == 0
    (file,) = openai.files
    assert file.suffix == suffix
    info = json.loads(run_aigen("info", file, "--json").stdout)
    assert (info["prompt"], info["mark"]) == ("three red kites", "trainedAlgorithmicMedia")
    assert info["parameters"]["size"] == "16x16"
    with Image.open(file) as image:
        assert image.convert("RGB").getpixel((8, 8))[0] > 250  # type: ignore[index]


def with_fill_bytes(data: bytes) -> bytes:
    return data[:20] + b"\xff\xff" + data[20:]


def with_odd_exif(data: bytes) -> bytes:
    exif = b"Exif\0\0 is no TIFF"
    return data[:20] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + data[20:]


@pytest.mark.parametrize("change", [with_fill_bytes, with_odd_exif])
def test_an_odd_jpeg_is_delivered_all_the_same(openai: Shop, change: Callable[[bytes], bytes]) -> None:
    openai.server.creations = [answer(openai, change(jpg(False)))]
    assert openai.order(1).returncode == 0
    (file,) = openai.files
    assert json.loads(run_aigen("info", file, "--json").stdout)["prompt"] == "three red kites"
    with Image.open(file) as image:
        image.load()


def test_a_signed_jpeg_with_fill_bytes_is_kept_as_it_is(openai: Shop) -> None:
    data = with_fill_bytes(jpg(True))
    openai.server.creations = [answer(openai, data)]
    assert openai.order(1).returncode == 0
    assert next(path for path in openai.files if path.suffix == ".jpg").read_bytes() == data


def test_what_cannot_be_written_into_is_delivered_with_its_metadata_beside(
    runway: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no such codec")

    monkeypatch.setattr("aigen.media.provenance._mark_mp4", fail)
    assert runway.order(1).returncode == 0
    file = next(path for path in runway.files if path.suffix == ".mp4")
    assert file.read_bytes() == runway.server.files["video"]
    info = json.loads(run_aigen("info", file, "--json").stdout)
    assert (info["prompt"], info["mark"]) == ("three red kites", "trainedAlgorithmicMedia")


def test_a_file_of_metadata_that_is_none_of_ours_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpg(True))
    for text in (b"\xff\xfe", b"{}", b'{"prompt": 1}'):
        (tmp_path / "photo.json").write_bytes(text)
        done = run_aigen("info", tmp_path / "photo.jpg")
        assert (done.returncode, "does not say what made it" in done.stdout) == (0, True)


def answer(openai: Shop, data: bytes) -> Reply:
    assert isinstance(openai.server, OpenAIStandIn)
    return Reply(body=openai.server.image(data).body, sells=True)


def test_a_signed_video_is_kept_byte_for_byte(runway: Shop) -> None:
    assert isinstance(runway.server, RunwayStandIn)
    box = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + bytes(8)
    data = runway.server.files["video"] + struct.pack(">I4s", 8 + len(box), b"uuid") + box
    runway.server.files["video"] = data
    assert runway.order(1).returncode == 0
    file = next(path for path in runway.files if path.suffix == ".mp4")
    assert file.read_bytes() == data
    assert c2pa.is_signed(file)
    assert json.loads(run_aigen("info", file, "--json").stdout)["prompt"] == "three red kites"


# Keys


def test_no_key_is_in_a_traceback(openai: Shop) -> None:
    openai.server.creations = [error(401, f"Incorrect API key provided: {KEY}")] * 2
    done = run_process(
        "--debug", *openai.arguments(1), "--content", openai.content, environment=QUICK | openai.environment
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "Incorrect API key provided: …" in done.stderr
    assert KEY not in done.stdout + done.stderr


@pytest.mark.system
def test_no_key_is_in_what_the_sdk_logs(openai: Shop) -> None:
    done = run_process(
        *openai.arguments(1), "--content", openai.content,
        environment=QUICK | openai.environment | {"OPENAI_LOG": "debug", "RUNWAYML_LOG": "debug"},
    )  # fmt: skip
    assert done.returncode == 0
    assert KEY not in done.stdout + done.stderr


def test_resume_needs_an_order_to_buy_again(openai: Shop) -> None:
    done = openai.run("resume", "--buy-again")
    assert (done.returncode, "--buy-again needs an order" in done.stderr) == (2, True)


@pytest.mark.system
def test_models_say_whether_there_is_a_key(runway: Shop) -> None:
    listed = {model["name"]: model for model in json.loads(models(runway, "--json"))}
    assert (listed["runway:gen4.5"]["here"], listed["openai:gpt-image-2"]["here"]) == (True, False)
    assert "about $0.12 a second" in listed["runway:gen4.5"]["price"]
    assert "hosted by OpenAI, paid: no key: aigen keys set openai" in models(runway)
    assert runway.server.seen == []


def models(shop: Shop, *more: str) -> str:
    return run_aigen("models", *more, environment=shop.environment).stdout


def test_a_paid_default_is_used_and_paid_for_only_with_consent(runway: Shop) -> None:
    assert (
        "runway makes images and videos from now on"
        in run_aigen("models", "use", "runway", environment=runway.environment).stderr
    )
    done = runway.run("generate", "a kite", "--images", "1", "--videos", "1", "--user", "ana")
    assert (done.returncode, "add --yes" in done.stderr) == (2, True)
    done = runway.run("generate", "a kite", "--images", "1", "--videos", "1", "--user", "ana", "--yes")
    assert done.returncode == 0
    assert {item.model for item in runway.items} == {"runway:gen4_image", "runway:gen4.5"}
