"""What every provider must stand: nothing is lost or bought twice, whatever it answers and whenever aigen dies.

Tests of jobs are for providers that have any; the others answer with the result, so that a crash leaves it unknown.
"""

import errno
import json
import signal
import threading
from dataclasses import replace

import pytest

from aigen.content import ContentFolder
from aigen.errors import StoreError
from aigen.orders import items
from aigen.store import Store
from tests.conftest import kill, patiently
from tests.pipelines.hosted.conftest import Shop
from tests.pipelines.hosted.stand_in import LOST, MALFORMED, Reply, error, wait_until

# The beginning of a video, after which the connection ends.
CUT = Reply(body=b"\0\0\0\x18ftypmp42" + bytes(5000), cut=100, content_type="video/mp4")
WITH_JOBS = pytest.mark.parametrize(
    "provider", ["runway", *patiently("gemini", "huggingface", "pictory")], indirect=True
)
WITHOUT_JOBS = pytest.mark.parametrize(
    "provider", ["openai", *patiently("gemini images", "huggingface images")], indirect=True
)


def test_an_order_is_made_and_recorded(shop: Shop) -> None:
    done = shop.order(3, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["status"], len(told[f"{shop.kind}s"])) == ("Completed", 3)
    assert len(shop.server.sales) == 3
    assert len(shop.files) == 3
    assert told["cost"] == pytest.approx(sum(item.cost or 0 for item in shop.items))
    assert all(item.job["item"].state == "fetched" and item.cost for item in shop.items)
    assert shop.server.has_key(shop.server.submissions()[0])


def test_without_a_key_nothing_is_sent(shop: Shop) -> None:
    name = next(name for name in shop.environment if name.endswith(("SECRET", "KEY", "TOKEN")))
    done = shop.order(1, environment={name: ""})
    assert (done.returncode, name in done.stderr) == (2, True)
    assert not shop.server.seen
    assert not shop.content.exists()


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_wrong_key_or_an_empty_account_costs_one_request(shop: Shop, status: int) -> None:
    shop.server.creations = [error(status, "no") for _ in range(9)]
    done = shop.order(5)
    assert done.returncode == 1
    assert ("does not accept the key" if status != 402 else "no credit left") in done.stderr
    assert len(shop.server.submissions()) == 1
    assert shop.server.sales == []
    assert all(not item.job for item in shop.items), "nothing is in the ledger, for nothing was bought"
    shop.server.creations = []
    assert shop.resume().returncode == 0
    assert len(shop.server.sales) == 5


@pytest.mark.parametrize("reply", [error(429, "slower", retry_after="0.05"), error(429, "slower"), error(503)])
def test_what_was_certainly_not_sold_is_tried_again(shop: Shop, reply: Reply) -> None:
    shop.server.creations = [reply, reply]
    done = shop.order(2)
    assert done.returncode == 0, done.stderr
    assert len(shop.server.sales) == 2
    assert len(shop.server.submissions()) == 4


def test_where_nothing_can_be_reached_nothing_is_bought(shop: Shop) -> None:
    name = next(name for name in shop.environment if name.endswith("_URL"))
    nowhere = {name: "http://127.0.0.1:9/v1"}
    done = shop.order(2, environment=nowhere)
    assert (done.returncode, "cannot be reached" in done.stderr) == (1, True)
    assert all(not item.job for item in shop.items)
    assert shop.resume().returncode == 0


@pytest.mark.parametrize(
    "reply",
    [LOST, MALFORMED, Reply(500, b"{}", sells=True), Reply(502, b"<html>", sells=True),
        Reply(503, b"upstream reset", {}, "text/plain", sells=True), Reply(303, headers={"location": "/"}, sells=True)],
)  # fmt: skip
def test_an_answer_that_is_lost_is_unknown_and_bought_again_only_if_told_so(shop: Shop, reply: Reply) -> None:
    shop.server.creations = [reply]
    done = shop.order(3)
    assert done.returncode == 1
    assert "may have been paid for" in done.stderr
    assert "--buy-again" in done.stderr
    assert len(shop.server.sales) == 1, "who answers like this is not asked for more"
    done = shop.resume()
    assert (done.returncode, "--buy-again" in done.stderr) == (1, True)
    assert len(shop.server.sales) == 3, "the others are made"
    assert shop.status["done"] == 2
    done = shop.resume("--buy-again")
    assert done.returncode == 0, done.stderr
    assert len(shop.server.sales) == 4
    assert sum(job.state == "lost" for item in shop.items for job in item.job.values()) == 1


def test_once_it_sells_one_lost_answer_fails_that_item_alone(shop: Shop) -> None:
    shop.server.creations = [None, LOST]  # type: ignore[list-item]
    done = shop.order(4)
    assert done.returncode == 1
    assert (shop.status["done"], len(shop.server.sales)) == (3, 4)
    assert shop.resume("--buy-again").returncode == 0
    assert len(shop.server.sales) == 5


@pytest.mark.parametrize("instant", ["create", *patiently("poll", "file")])
@WITH_JOBS
def test_killed_in_any_state_it_is_collected_and_never_bought_twice(
    shop: Shop, instant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.server.block(instant)
    process = shop.start(monkeypatch, *shop.arguments(1))
    wait_until(shop.server.reached[instant].is_set)
    kill(process)
    shop.server.unblock()
    assert (shop.status["status"], shop.status["interrupted"]) == ("Processing", True)
    done = shop.resume()
    if instant == "create":
        assert done.returncode == 1
        assert "may have been paid for" in done.stderr
        assert len(shop.server.sales) == 1
        done = shop.resume("--buy-again")
    assert done.returncode == 0, done.stderr
    assert len(shop.server.sales) == (2 if instant == "create" else 1)
    assert shop.status["status"] == "Completed"
    assert not (shop.content / ".work" / shop.order_id).exists()


@WITHOUT_JOBS
def test_killed_during_a_call_the_outcome_is_unknown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.server.block("create")
    process = shop.start(monkeypatch, *shop.arguments(2))
    wait_until(shop.server.reached["create"].is_set)
    kill(process)
    shop.server.unblock()
    done = shop.resume()
    assert (done.returncode, "may have been paid for" in done.stderr) == (1, True)
    assert (len(shop.server.sales), shop.status["done"]) == (2, 1)
    assert shop.resume("--buy-again").returncode == 0
    assert len(shop.server.sales) == 3


def test_a_crash_before_a_fetched_item_is_recorded_buys_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    def die(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(items, "publish", die)
        with pytest.raises(Crash):
            shop.order(1)
    asked = len(shop.server.seen)
    assert shop.resume().returncode == 0
    assert (len(shop.server.sales), len(shop.server.seen)) == (1, asked)
    assert len(shop.files) == 1


def test_a_crash_after_its_file_has_its_name_buys_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    def die(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(items.Store, "record", die)
        with pytest.raises(Crash):
            shop.order(1)
    assert len(shop.files) == 1
    asked = len(shop.server.seen)
    assert shop.resume().returncode == 0
    assert (len(shop.server.sales), len(shop.server.seen)) == (1, asked)


@WITH_JOBS
def test_errors_while_polling_fail_nothing(shop: Shop) -> None:
    running = {"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}
    shop.server.polls = [
        error(500), Reply(body=b"{no json"), error(429), running, error(401), Reply(loses=True, sells=True), error(404),
        {"status": "DREAMING"}, {"status": "RUNNING", "progress": "half"}, running,
    ]  # fmt: skip
    done = shop.order(1)
    assert done.returncode == 0, done.stderr
    assert len(shop.server.sales) == 1


@WITH_JOBS
def test_a_job_that_vanishes_is_said_and_bought_again_only_if_told_so(shop: Shop) -> None:
    shop.server.polls = [error(404, "no such task")] * 5
    done = shop.order(1)
    assert (done.returncode, "does not know the job any more" in done.stderr) == (1, True)
    assert "--buy-again" in done.stderr
    assert len(shop.server.sales) == 1
    shop.server.polls = [error(404, "no such task")] * 5
    assert shop.resume().returncode == 1
    assert len(shop.server.sales) == 1
    assert shop.resume("--buy-again").returncode == 0
    assert len(shop.server.sales) == 2


@WITH_JOBS
def test_a_job_that_vanished_may_come_back(shop: Shop) -> None:
    shop.server.polls = [error(404, "no such task")] * 5
    assert shop.order(1).returncode == 1
    assert shop.resume().returncode == 0
    assert len(shop.server.sales) == 1


@WITH_JOBS
def test_of_a_job_that_never_ends_the_order_waits_and_a_worker_collects_it(shop: Shop) -> None:
    running = {"status": "RUNNING", "progress": 0.1, "estimatedCost": {"credits": 25}}
    shop.server.polls = [running] * 1000
    done = shop.order(2, environment={"AIGEN_HOSTED_DEADLINE": "0.1"})
    assert done.returncode == 1
    assert f"2 jobs are not done at {shop.title}" in done.stderr
    assert shop.order_id in done.stderr
    assert (shop.status["status"], shop.status["interrupted"]) == ("Processing", False)
    assert shop.run("worker", "--once").returncode == 0
    assert shop.status["status"] == "Processing"
    shop.server.polls = []
    wait_until(lambda: shop.run("worker", "--once").returncode == 0 and shop.status["status"] == "Completed")
    assert (shop.status["done"], len(shop.server.sales)) == (2, 2)


@WITHOUT_JOBS
def test_a_call_that_never_answers_is_unknown_in_the_end(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "rest" if shop.provider == "huggingface" else shop.provider
    monkeypatch.setattr(f"aigen.pipelines.hosted.{module}.TIMEOUT", 0.3)
    shop.server.block("create")
    done = shop.order(1)
    assert (done.returncode, "may have been paid for" in done.stderr) == (1, True)
    assert len(shop.server.sales) == 1


@WITHOUT_JOBS
def test_a_deadline_ends_no_call(shop: Shop) -> None:
    shop.server.block("create")
    threading.Timer(0.6, shop.server.unblock).start()
    assert shop.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.2"}).returncode == 0


@pytest.mark.system
@WITH_JOBS
@pytest.mark.parametrize(
    ("reply", "status", "told"),
    [(error(404), "Failed", "--buy-again"), (error(401), "Processing", "does not accept the key")],
)
def test_who_only_collects_still_notices_what_is_wrong(shop: Shop, reply: Reply, status: str, told: str) -> None:
    shop.server.polls = [{"status": "PENDING", "estimatedCost": {"credits": 25}}] * 100
    assert shop.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.02"}).returncode == 1
    shop.server.polls = [reply] * 1000
    wait_until(
        lambda: (
            shop.run("worker", "--once").returncode == 0
            and told in shop.run("status", "--json").stdout + shop.run("status").stdout
        )
    )
    assert shop.status["status"] == status
    shop.server.polls = []
    assert shop.resume().returncode == 0
    assert len(shop.server.sales) == 1


@pytest.mark.system
@WITH_JOBS
def test_a_worker_without_a_key_leaves_what_it_cannot_collect(shop: Shop) -> None:
    shop.server.polls = [{"status": "PENDING", "estimatedCost": {"credits": 25}}] * 100
    assert shop.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.02"}).returncode == 1
    name = next(name for name in shop.environment if name.endswith(("SECRET", "KEY", "TOKEN")))
    for _ in range(2):
        assert shop.run("worker", "--once", environment={name: ""}).returncode == 0
        assert shop.status["status"] == "Processing"
        wait_until(lambda: True)
    shop.server.polls = []
    assert shop.resume().returncode == 0


@WITH_JOBS
def test_a_job_that_is_cancelled_at_the_provider_fails_that_item(shop: Shop) -> None:
    shop.server.polls = [{"status": "CANCELLED", "cost": {"credits": 7}}]
    done = shop.order(2)
    assert (done.returncode, f"it was cancelled at {shop.title}" in done.stderr) == (1, True)
    assert shop.status["done"] == 1
    before, after = {
        "runway": (0.32, 0.57),
        "gemini": (0.65, 1.30),
        "huggingface": (0.25, 0.50),
        "pictory": (0.1, 0.2),
    }[shop.provider]
    assert shop.status["cost"] == before
    assert shop.resume().returncode == 0
    assert shop.status["cost"] == after


@WITH_JOBS
def test_what_moderation_refuses_fails_alone_with_its_reason(shop: Shop) -> None:
    refused = {"status": "FAILED", "failure": "too scary", "failureCode": "SAFETY.INPUT.TEXT", "cost": {"credits": 0}}
    shop.server.polls = [refused]
    done = shop.order(3)
    assert (done.returncode, "too scary [SAFETY.INPUT.TEXT]" in done.stderr) == (1, True)
    assert (shop.status["done"], len(shop.server.sales)) == (2, 3)


@WITHOUT_JOBS
def test_what_moderation_refuses_at_once_fails_alone_with_its_reason(shop: Shop) -> None:
    shop.server.creations = [shop.server.refusal("too scary")]  # type: ignore[attr-defined]
    done = shop.order(3)
    assert (done.returncode, f"{shop.title} refused it: too scary" in done.stderr) == (1, True)
    assert (shop.status["done"], len(shop.server.sales)) == (2, 2)


@WITH_JOBS
@pytest.mark.parametrize(
    "replies",
    [
        [error(403), error(404)],  # its address has expired
        [CUT],
        [Reply(body=b"<!doctype html><title>Sign in</title>", content_type="text/html")],
        [error(500), error(503)],
    ],
)
def test_a_download_that_goes_wrong_is_tried_again_with_a_fresh_address(shop: Shop, replies: list[Reply]) -> None:
    shop.server.downloads = list(replies)
    done = shop.order(1)
    assert done.returncode == 0, done.stderr
    assert len(shop.server.sales) == 1
    assert len({seen.path for seen in shop.server.seen if seen.path.startswith("/files/")}) == len(replies) + 1
    assert not any("authorization" in seen.headers for seen in shop.server.seen if seen.path.startswith("/files/"))


@WITH_JOBS
@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(body=b"<!doctype html><title>Sign in</title>", content_type="text/html"), "no video"),
        (Reply(body=b"\0\0\0\x18ftypmp42", length=5_000_000_000), "larger than 2.0 GB"),
        (Reply(302, headers={"location": "http://example.org/video.mp4"}), "not https"),
        (Reply(302, headers={"location": "http://example.org:port/video.mp4"}), "cannot be used"),
        (Reply(404), "expired"),
    ],
)
def test_a_file_that_cannot_be_had_fails_the_item_and_costs_nothing_more(shop: Shop, reply: Reply, told: str) -> None:
    shop.server.downloads = [reply] * 5
    done = shop.order(1)
    assert (done.returncode, told in done.stderr) == (1, True), done.stderr
    assert "it is paid for: resume tries to download it again, and --buy-again buys another" in done.stderr
    assert shop.resume().returncode == 0
    assert len(shop.server.sales) == 1


@pytest.mark.system
@WITH_JOBS
def test_what_can_never_be_downloaded_can_be_bought_again(shop: Shop) -> None:
    shop.server.downloads = [Reply(404)] * 10
    assert shop.order(1).returncode == 1
    assert shop.resume().returncode == 1
    assert len(shop.server.sales) == 1
    assert shop.resume("--buy-again").returncode == 0
    assert len(shop.server.sales) == 2


@pytest.mark.system
@WITH_JOBS
def test_a_network_that_fails_during_downloads_makes_the_order_wait(shop: Shop) -> None:
    shop.server.downloads = [CUT] * 5
    assert shop.order(1).returncode == 1
    assert shop.status["status"] == "Processing"
    assert shop.resume().returncode == 0


@WITHOUT_JOBS
@pytest.mark.parametrize(
    "reply", [Reply(sells=True, endless=True), Reply(body=b"<html>", content_type="text/html", sells=True)]
)
def test_an_answer_that_is_no_image_is_not_asked_for_again(
    shop: Shop, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigen.pipelines.hosted.provider.ANSWER_LIMIT", 5_000_000)
    shop.server.creations = [reply]
    assert shop.order(1).returncode == 1
    assert shop.resume().returncode == 1
    assert len(shop.server.sales) == 1


@WITHOUT_JOBS
def test_an_image_that_is_damaged_fails_and_its_cost_is_kept(shop: Shop) -> None:
    shop.server.creations = [shop.server.image(b"\x89PNG\r\n\x1a\n cut")]  # type: ignore[attr-defined]
    shop.server.creations[0] = Reply(body=shop.server.creations[0].body, sells=True)
    done = shop.order(1)
    assert (done.returncode, "damaged" in done.stderr) == (1, True)
    assert "add --buy-again to buy another" in done.stderr
    assert shop.status["cost"] == pytest.approx(shop.server.image_cost)  # type: ignore[attr-defined]
    (kept,) = (shop.content / ".work" / shop.order_id).glob("*.rejected")
    assert kept.read_bytes() == b"\x89PNG\r\n\x1a\n cut"
    assert shop.resume().returncode == 1
    assert len(shop.server.sales) == 1, "it is not bought again by itself"
    assert shop.resume("--buy-again").returncode == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_takes_the_key_elsewhere(shop: Shop, status: int) -> None:
    place = shop.server.__class__(shop.content.parent / "elsewhere")
    try:
        shop.server.creations = [Reply(status, headers={"location": f"{place.address}/v1/images/generations"})] * 20
        done = shop.order(2)
        assert (done.returncode, "redirects" in done.stderr) == (1, True)
        assert place.seen == []
        assert all(not item.job for item in shop.items)
    finally:
        place.close()


def test_a_proxy_that_cannot_be_used_is_said_before_anything_is_sent(shop: Shop) -> None:
    proxy = {"ALL_PROXY": "socks5://127.0.0.1:9"}
    done = shop.order(1, environment=proxy)
    assert (done.returncode, "cannot be used here" in done.stderr) == (1, True)
    assert all(not item.job for item in shop.items)
    assert shop.resume().returncode == 0


def test_a_full_disk_stops_buying(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sold already is in the ledger."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("aigen.pipelines.hosted.downloads.publish", full)
        assert shop.order(5).returncode == 1
    sold = len(shop.server.sales)
    assert sold < 5
    assert sum(bool(item.job) for item in shop.items) == sold
    assert shop.resume(*["--buy-again"] * (shop.kind == "image")).returncode == 0


@pytest.mark.system
def test_where_the_store_fails_nothing_more_is_bought(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("it is locked")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "save_job", fail)
        done = shop.order(5)
    assert (done.returncode, "cannot be recorded" in done.stderr) == (1, True), done.stderr
    assert len(shop.server.sales) == 1


def test_after_the_first_was_accepted_four_are_in_flight(shop: Shop) -> None:
    shop.server.block("create")
    result: list[int] = []
    thread = threading.Thread(target=lambda: result.append(shop.order(8).returncode))
    thread.start()
    wait_until(shop.server.reached["create"].is_set)
    assert shop.server.most_in_flight == 1
    first = shop.server.blocked.pop("create")
    shop.server.block("create")
    first.set()
    if shop.kind == "image":
        wait_until(lambda: len(shop.server.sales) == 5)
    else:
        wait_until(lambda: len(shop.server.sales) >= 4)
    shop.server.unblock()
    thread.join()
    assert result == [0]
    assert shop.server.most_in_flight <= 4
    assert len(shop.server.sales) == 8


def test_ctrl_c_leaves_jobs_there_and_says_so(runway: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    runway.server.polls = [{"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}] * 100_000
    process = runway.start(monkeypatch, *runway.arguments(2))
    wait_until(lambda: len(runway.server.sales) == 2)
    wait_until(lambda: sum(seen.method == "GET" for seen in runway.server.seen) > 20)
    _, errors = kill(process, signal.SIGINT)
    assert process.returncode == 130
    assert "2 jobs at Runway go on" in errors
    runway.server.polls = []
    assert runway.resume().returncode == 0
    assert len(runway.server.sales) == 2


def test_cancel_cancels_at_the_provider_and_says_what_it_costs(runway: Shop) -> None:
    runway.server.polls = [{"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}] * 1000
    assert runway.order(2, environment={"AIGEN_HOSTED_DEADLINE": "0.05"}).returncode == 1
    done = runway.run("cancel", runway.order_id)
    assert done.returncode == 0
    assert sorted(runway.server.cancelled) == ["task-1", "task-2"]
    assert "charged $0.03" in done.stderr
    assert "it cost $0.06" in done.stderr
    assert runway.status["status"] == "Cancelled"


RUNNING = {"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}


def test_ctrl_c_buys_nothing_more_side_by_side(runway: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    runway.server.polls = [RUNNING] * 100_000
    process = runway.start(
        monkeypatch, "generate", "kites", "--model", "runway", "--images", "5", "--videos", "5", "--yes"
    )
    wait_until(lambda: len(runway.server.sales) == 4)
    _, errors = kill(process, signal.SIGINT)
    assert "4 jobs at Runway go on" in errors
    assert len(runway.server.submissions()) == 4


def test_a_refused_item_says_nothing_of_the_price(openai: Shop) -> None:
    refused = {"error": {"message": "too scary", "code": "moderation_blocked"}}
    openai.server.creations = [Reply(400, json.dumps(refused).encode())]
    openai.server.tokens = 1756
    done = openai.order(5, "--max-cost", "0.1")
    assert (done.returncode, "more than --max-cost 0.1" in done.stderr) == (1, True)
    assert len(openai.server.sales) == 1


def test_after_a_refused_item_a_lost_answer_still_ends_the_order(openai: Shop) -> None:
    refused = {"error": {"message": "too scary", "code": "moderation_blocked"}}
    openai.server.creations = [Reply(400, json.dumps(refused).encode()), *[Reply(500, b"{}", sells=True)] * 4]
    assert openai.order(5).returncode == 1
    assert len(openai.server.sales) == 1


@pytest.mark.system
def test_attempts_that_failed_do_not_keep_a_worker_from_collecting(runway: Shop) -> None:
    failed = {"status": "FAILED", "failure": "it broke", "failureCode": "INTERNAL", "cost": {"credits": 0}}
    runway.server.polls = [failed]
    assert runway.order(1).returncode == 1
    for _ in range(3):
        runway.server.polls = [failed]
        assert runway.resume().returncode == 1
    runway.server.polls = [RUNNING] * 1000
    assert runway.run("resume", runway.order_id, environment={"AIGEN_HOSTED_DEADLINE": "0.02"}).returncode == 1
    assert (runway.status["status"], runway.status["interrupted"]) == ("Processing", False)
    runway.server.polls = []
    wait_until(lambda: runway.run("worker", "--once").returncode == 0 and runway.status["status"] == "Completed")


def test_cancelled_while_a_job_is_sent_it_is_cancelled_at_the_provider(runway: Shop) -> None:
    runway.server.polls = [RUNNING] * 1000
    runway.server.block("create")
    result: list[str] = []

    def order() -> None:
        result.append(runway.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.001"}).stderr)

    thread = threading.Thread(target=order)
    thread.start()
    wait_until(runway.server.reached["create"].is_set)
    with Store.open(ContentFolder(runway.content)) as store:
        assert store.cancel(store.generations()[0].generation_id)
    runway.server.unblock()
    thread.join()
    assert runway.server.cancelled == ["task-1"]
    assert "was cancelled" in result[0]


@pytest.mark.system
@pytest.mark.parametrize("lost", ["RUNWAYML_API_SECRET", "AIGEN_HOSTED_PARALLEL"])
def test_without_a_key_a_waiting_order_goes_on_waiting(runway: Shop, lost: str) -> None:
    runway.server.polls = [RUNNING] * 1000
    assert runway.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.02"}).returncode == 1
    wrong = {lost: "" if lost.endswith("SECRET") else "x"}
    assert runway.run("resume", runway.order_id, environment=wrong).returncode == 1
    assert runway.status["status"] == "Processing"
    runway.server.polls = []
    wait_until(lambda: runway.run("worker", "--once").returncode == 0 and runway.status["status"] == "Completed")


@pytest.mark.system
@pytest.mark.parametrize("forgets", [False, True])
def test_a_job_that_is_cancelled_is_said_to_be(runway: Shop, forgets: bool) -> None:
    runway.server.polls, runway.server.forgets = [RUNNING] * 1000, forgets
    assert runway.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.02"}).returncode == 1
    done = runway.run("cancel", runway.order_id)
    assert "video 1 at Runway is cancelled" in done.stderr
    assert runway.run("cancel", runway.order_id).returncode == 2


def test_a_result_without_a_file_can_be_bought_again(runway: Shop) -> None:
    nothing = {"status": "SUCCEEDED", "cost": {"credits": 25}, "output": []}
    runway.server.polls = [nothing] * 20
    assert runway.order(1).returncode == 1
    assert runway.status["status"] == "Failed"
    runway.server.polls = []
    assert runway.resume().returncode == 0
    assert len(runway.server.sales) == 1


def test_what_only_has_to_be_collected_blocks_no_purchase(runway: Shop) -> None:
    runway.server.creations = [None, error(402)]  # type: ignore[list-item]
    runway.server.polls = [RUNNING] * 3
    assert runway.order(3).returncode == 1
    with Store.open(ContentFolder(runway.content)) as store:
        item = next(item for item in store.items(runway.order_id) if item.job)
        store.save_job(item, replace(item.job["item"], state="submitted", result=None))
        store._database.execute("UPDATE items SET state = 'planned', path = NULL")
        store._database.conn.commit()
    runway.server.polls = [RUNNING] * 100_000
    result: list[int] = []
    thread = threading.Thread(target=lambda: result.append(runway.resume().returncode))
    thread.start()
    wait_until(lambda: len(runway.server.sales) == 3, 10)
    runway.server.polls = []
    thread.join()
    assert result == [0]


@pytest.mark.system
def test_what_could_not_be_cancelled_is_cancelled_later(runway: Shop) -> None:
    runway.server.polls = [{"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}] * 1000
    assert runway.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.05"}).returncode == 1
    done = runway.run("cancel", runway.order_id, environment={"RUNWAYML_BASE_URL": "http://127.0.0.1:9"})
    assert "goes on as job task-1" in done.stderr
    assert runway.run("cancel", runway.order_id).returncode == 0
    assert runway.server.cancelled == ["task-1"]
    assert runway.run("cancel", runway.order_id).returncode == 2


@pytest.mark.system
def test_erasing_says_what_goes_on_at_the_provider(runway: Shop) -> None:
    runway.server.polls = [{"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}] * 1000
    assert runway.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.05"}).returncode == 1
    done = runway.run("users", "delete", "ana", "--yes", environment={"RUNWAYML_API_SECRET": ""})
    assert (done.returncode, "goes on as job task-1" in done.stderr) == (0, True)


@pytest.mark.system
def test_cancelling_an_order_that_is_being_made_cancels_its_jobs(runway: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    runway.server.polls = [{"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 25}}] * 100_000
    process = runway.start(monkeypatch, *runway.arguments(2))
    wait_until(lambda: len(runway.server.sales) == 2)
    done = runway.run("cancel", runway.order_id)
    process.communicate(timeout=30)
    assert done.returncode == 0
    assert sorted(runway.server.cancelled) == ["task-1", "task-2"]
    assert "it cost $0.06" in done.stderr
