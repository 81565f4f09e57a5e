"""On a public gallery nothing is sent to a mail address but what asks its owner to confirm it, until that is done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from webtest import TestResponse

from aigen.notify.delivery import Courier, deliver_everywhere
from aigen.notify.listing import list_notices
from aigen.orders import deletion, lifecycle
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.viewer.gallery import Gallery
from tests.conftest import Scribbler, StillClock
from tests.notices import Inbox, mail_server, mail_settings
from tests.web import Browser

BASE = {"AIGEN_BASE_URL": "https://example.org", "AIGEN_MAX_ORDERS": "99"}


@dataclass
class World:
    """A public gallery that sends mail, and what has arrived."""

    gallery: Gallery
    courier: Courier
    inbox: Inbox

    def deliver(self) -> list[str]:
        """Send what is due; the subjects of what has arrived since."""
        before = len(self.inbox.mails)
        assert deliver_everywhere(self.courier, self.gallery.store) == []
        return [str(mail["Subject"]) for mail in self.inbox.mails[before:]]

    @property
    def confirmation(self) -> str:
        """The path that the last mail names."""
        found = re.search(r"https://example\.org(/confirm/\S+)", self.text)
        assert found
        return found[1]

    @property
    def text(self) -> str:
        body = self.inbox.mails[-1].get_body(("plain",))
        assert body
        return str(body.get_content())

    def visitor(self, user_id: str) -> Browser:
        return Browser(self.gallery).register(user_id, "long enough")


@pytest.fixture
def world(gallery: Gallery, clock: StillClock, tmp_path: Path) -> Iterator[World]:
    with mail_server(tmp_path) as (port, inbox):
        settings = Settings({**mail_settings(port, tmp_path), **BASE})
        public = replace(gallery, settings=settings, public=True)
        yield World(public, Courier(public.content, lambda: settings, clock), inbox)


def place(browser: Browser, address: str = "ana@example.org", prompt: str = "buy pills") -> TestResponse:
    typed = {"prompt": prompt, "images": "1", "videos": "0", "notify": "mail", "address": address}
    return browser.post("/text-to-video", **typed)


def make_all(context: Context) -> None:
    for order in context.store.generations(status="Processing"):
        lifecycle.run(context, order.generation_id, detached=True)


def test_an_address_is_confirmed_once_and_then_used(world: World, context: Context) -> None:
    ana = world.visitor("ana")
    assert place(ana).status_code == 303
    make_all(context)
    assert world.deliver() == ["Confirm your address for aigen"]
    assert "pills" not in str(world.inbox.mails[0])
    assert "ana" not in world.text.replace("ana@example.org", "")
    assert "open the link in the mail to ana@example.org" in ana.get("/dash").text
    assert world.deliver() == []
    path = world.confirmation
    for _ in range(2):  # scanners of mail open links
        assert "will be sent to ana@example.org" in Browser(world.gallery).get(path).text
    assert world.deliver() == []
    assert "Your address is confirmed" in Browser(world.gallery).post(path).text
    assert world.deliver() == ["Ready: buy pills"]
    assert "in the mail to" not in ana.get("/dash").text
    again = Browser(world.gallery)
    assert "Your address is confirmed" in again.get(path).text
    assert "Your address is confirmed" in again.post(path, form="/login").text
    assert again.get("/confirm/x").status_code == again.post("/confirm/x", form="/login").status_code == 410
    place(ana, "ANA@example.org", "a kite")
    make_all(context)
    assert world.deliver() == ["Ready: a kite"], "upper and lower case make no other address"


def test_what_is_confirmed_before_the_order_is_made_is_told_when_it_is(world: World, context: Context) -> None:
    place(world.visitor("ana"))
    assert world.deliver() == ["Confirm your address for aigen"]
    Browser(world.gallery).post(world.confirmation)
    assert world.deliver() == []
    make_all(context)
    assert world.deliver() == ["Ready: buy pills"]


def test_a_failure_waits_for_the_address_too(world: World, context: Context, scribbler: Scribbler) -> None:
    place(world.visitor("ana"))
    scribbler.fail = {1}
    with pytest.raises(Exception, match="the pen broke"):
        make_all(context)
    assert world.deliver() == ["Confirm your address for aigen"]
    Browser(world.gallery).post(world.confirmation)
    assert world.deliver() == ["Failed: buy pills"]


def test_one_user_confirms_for_nobody_else(world: World, context: Context) -> None:
    place(world.visitor("ana"))
    world.deliver()
    Browser(world.gallery).post(world.confirmation)
    place(world.visitor("eve"))
    make_all(context)
    assert sorted(world.deliver()) == ["Confirm your address for aigen", "Ready: buy pills"]


def test_nobody_is_asked_again_and_again(world: World, context: Context, clock: StillClock) -> None:
    ana = world.visitor("ana")
    for _ in range(3):
        assert place(ana).status_code == 303
    assert world.deliver() == ["Confirm your address for aigen"]
    for order in world.gallery.store.generations("ana"):
        lifecycle.cancel(context, order.generation_id)
        deletion.erase_order(context, order.generation_id)
    assert place(ana).status_code == 303
    assert world.deliver() == []
    for user_id in ("bob", "carl"):
        assert place(world.visitor(user_id)).status_code == 303
    refused = place(world.visitor("eve"))
    assert (refused.status_code, "too many users gave the address" in refused.text) == (400, True)
    assert world.gallery.store.generations("eve") == []
    assert len(world.deliver()) == 2
    clock.advance(86401)
    first = world.confirmation
    assert place(ana).status_code == 303
    assert world.deliver() == ["Confirm your address for aigen"]
    assert world.confirmation != first
    assert "will be sent to" in Browser(world.gallery).get(first).text, "it is valid as long as its mail says"


def test_a_user_cannot_have_mails_sent_to_many_addresses(world: World, context: Context, clock: StillClock) -> None:
    eve = world.visitor("eve")
    codes = []
    for number in range(7):
        codes.append(place(eve, f"victim{number}@example.org").status_code)
        world.deliver()
        for order in world.gallery.store.generations("eve"):
            lifecycle.cancel(context, order.generation_id)
            deletion.erase_order(context, order.generation_id)
    assert codes == [303] * 5 + [400] * 2
    clock.advance(3601)
    assert place(eve, "victim9@example.org").status_code == 303


def test_what_many_users_ask_for_waits(world: World, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigen.store.addresses.ALL", 2)
    for number in range(3):
        assert place(world.visitor(f"user{number}"), f"user{number}@example.org").status_code == 303
    assert len(world.deliver()) == 2
    clock.advance(3601)
    assert len(world.deliver()) == 1


def test_the_link_of_one_address_is_never_in_the_mail_to_another(
    world: World, context: Context, clock: StillClock
) -> None:
    """A notice that was erased may leave its number to another."""
    mal = world.visitor("mal")
    place(mal, "mal@example.org")
    world.deliver()
    Browser(world.gallery).post(world.confirmation)
    place(mal, "later@example.org")  # where the server says: not now
    assert len(deliver_everywhere(world.courier, world.gallery.store)) == 1
    for order in world.gallery.store.generations("mal"):
        lifecycle.cancel(context, order.generation_id)
        deletion.erase_order(context, order.generation_id)
    for _ in range(3):
        place(mal, "mal@example.org")
    make_all(context)
    clock.advance(3600)
    assert len(world.deliver()) == 3
    assert not any("/confirm/" in str(mail) for mail in world.inbox.mails[-3:])


def test_an_address_that_cannot_be_reached_is_told_and_can_be_tried_again(world: World) -> None:
    ana = world.visitor("ana")
    place(ana, "nobody@example.org")
    assert len(deliver_everywhere(world.courier, world.gallery.store)) == 1
    assert "confirm nobody@example.org could not be sent" in ana.get("/dash").text
    place(ana, "nobody@example.org")
    assert len(deliver_everywhere(world.courier, world.gallery.store)) == 1


def test_an_order_that_is_cancelled_still_asks(world: World, context: Context) -> None:
    place(world.visitor("ana"))
    (order,) = world.gallery.store.generations()
    lifecycle.cancel(context, order.generation_id)
    assert [notice.text(context.clock()) for notice in list_notices(context.store)] == [
        "confirmation of the address is due"
    ]
    assert world.deliver() == ["Confirm your address for aigen"]


def test_a_link_to_confirm_expires(world: World, clock: StillClock) -> None:
    place(world.visitor("ana"))
    world.deliver()
    clock.advance(7 * 86400)
    assert Browser(world.gallery).get(world.confirmation).status_code == 410
    assert Browser(world.gallery).post(world.confirmation, form="/login").status_code == 410
    assert world.gallery.store.unconfirmed("ana") == {"ana@example.org": False}


def test_a_mail_that_cannot_be_sent_is_tried_again_with_a_link_that_works(
    world: World, clock: StillClock, context: Context
) -> None:
    place(world.visitor("ana"), "later@example.org")
    assert len(deliver_everywhere(world.courier, world.gallery.store)) == 1
    (notice,) = [each for each in world.gallery.store.notices() if each.event == "confirm"]
    assert (notice.state, notice.attempts) == ("ready", 1)
    (waiting,) = [each for each in list_notices(context.store) if each.notice.event == "completed"]
    assert waiting.text(clock()) == "waits until the address is confirmed"


def test_on_this_machine_alone_no_address_is_confirmed(world: World, context: Context) -> None:
    place(Browser(replace(world.gallery, public=False)).register("ana"))
    make_all(context)
    assert world.deliver() == ["Ready: buy pills"]
