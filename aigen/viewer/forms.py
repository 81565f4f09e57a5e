"""The order forms: what can be chosen in them, and what somebody asks for by what was typed into one.

There are two, for what starts from words and for what starts from a picture. They differ in little, so they are one
page.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bottle import HTTPResponse

from aigen import pipelines
from aigen.errors import UsageError
from aigen.film.script import check_narration
from aigen.notify import channels, mail
from aigen.orders import placing
from aigen.times import resolve
from aigen.types.pipeline import Abilities
from aigen.types.request import Draft, Kind, Narration, check_channel, check_prompt, check_style
from aigen.types.styles import STYLES
from aigen.viewer.gallery import Gallery
from aigen.viewer.web import render
from aigen.wording import spoken_price

ITEM_LIMIT = 40
# What models make, for their picker.
MODEL_PICTURES = {pipelines.FALLBACK: "example-whale.webp"}


@dataclass(frozen=True)
class Form:
    """One of the two forms: where it is, its title, and what stands in it before anybody has typed."""

    path: str
    title: str
    fields: Mapping[str, str]
    from_picture: bool = False


@dataclass(frozen=True)
class Estimate:
    """What an order takes and costs, in words. `refused`: it would be refused for that. `price` is in USD."""

    text: str = ""
    refused: bool = False
    price: float = 0.0


_FIELDS = {
    "prompt": "", "images": "5", "videos": "5", "style": "plain", "model": "", "notify_at": "", "notify": "",
    "address": "", "narrate": "", "script": "", "agreed": "",
}  # fmt: skip
FROM_WORDS = Form("/text-to-video", "Text to Video", _FIELDS)
FROM_PICTURE = Form("/image-to-video", "Image to Video", {**_FIELDS, "style": ""}, from_picture=True)


def show(
    gallery: Gallery,
    form: Form,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    estimate: Estimate,
    code: int = 200,
) -> HTTPResponse:
    """The page of a form, with what was typed and by the names of fields what is wrong with it."""
    models = _models(gallery, form)
    typed = {**form.fields, **typed}
    return render(
        "new-order",
        code,
        title=form.title,
        form=form,
        typed=typed,
        errors=errors,
        styles=STYLES,
        models=models,
        pictures=MODEL_PICTURES,
        mails=_mails(gallery),
        confirms_mail=gallery.public,
        desktop=not gallery.public,
        limit=item_limit(gallery),
        estimate=estimate,
        message=errors.get("") or ("Something below needs another look." if errors else None),
    )


def read(gallery: Gallery, form: Form, typed: Mapping[str, str]) -> tuple[Draft | None, dict[str, str]]:
    """What a form asks for, or by the names of its fields what is wrong with them."""
    errors: dict[str, str] = {}

    def attempt(name: str, check: Callable[[], object]) -> Any:
        try:
            return check()
        except UsageError as error:
            errors[name] = str(error)
            return None

    prompt = typed["prompt"] if typed["prompt"].strip() or not form.from_picture else None
    if prompt is not None:
        attempt("prompt", lambda: check_prompt(prompt))
    images = attempt("images", lambda: read_count(typed, "images"))
    videos = attempt("videos", lambda: read_count(typed, "videos"))
    style = typed["style"] or None
    attempt("style", lambda: check_style(style or "plain"))
    if typed["model"] and typed["model"] not in _offered(gallery):
        errors["model"] = f"model {typed['model'][:40]!r} is not known: choose one of these"
    told = attempt("script", lambda: read_narration(typed, style, prompt))
    attempt("notify_at", lambda: resolve(typed["notify_at"], gallery.clock()))
    notify = attempt("notify", lambda: _channel(typed, gallery)) or ()
    if notify and mail.is_mail(notify[0]) and _mails(gallery):
        attempt("address", lambda: check_channel(notify[0]))
    else:
        attempt("notify", lambda: channels.check(notify, gallery.settings))
    if errors:
        return None, errors
    wanted = attempt(
        "images",
        lambda: Draft(
            prompt=prompt,
            images=images,
            videos=videos,
            style=style,
            from_picture=form.from_picture,
            model=typed["model"] or None,
            notify_at=typed["notify_at"].strip() or None,
            notify=notify,
            narration=told,
            narrate=bool(typed["narrate"]),
        ),
    )
    return wanted, errors


def read_narration(typed: Mapping[str, str], style: str | None, prompt: str | None) -> Narration | None:
    """Return the narration of a typed script or prompt; None if the picture's description is to be narrated."""
    script = typed["script"] if typed["script"].strip() else (prompt or "").strip()
    if not typed["narrate"] or not script:
        return None
    told = Narration(script=script) if style in (None, "plain") else Narration(script=script, styles=(style,))
    check_narration(told)
    return told


def read_count(typed: Mapping[str, str], name: str) -> int:
    """Return a number that was typed. Raises UsageError."""
    text = typed[name].strip()
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise UsageError(f"{name} is {text[:20]!r}: give a whole number")
    return int(text)


def _channel(typed: Mapping[str, str], gallery: Gallery) -> tuple[str, ...]:
    """By what the user is told. A URL would have this machine talk to whomever the visitor likes: never from a form."""
    chosen = typed["notify"]
    if not chosen:
        return ()
    if chosen == "mail":
        return (f"mailto:{typed['address'].strip()}",)
    if chosen == "desktop" and not gallery.public:
        return ("desktop",)
    raise UsageError(f"notification {chosen[:40]!r} is not possible here: choose from the list")


def item_limit(gallery: Gallery) -> int:
    return gallery.settings.number("AIGEN_MAX_ITEMS", ITEM_LIMIT)


def _offered(gallery: Gallery) -> dict[str, Abilities]:
    """Return the models that can be ordered here: of those that cost money, the ones whose price is known."""
    found = pipelines.offered(gallery.context.pipeline, paid=gallery.offers_paid)
    return {name: each for name, each in found.items() if not each.paid or _prices(gallery, name, each)}


def _prices(gallery: Gallery, name: str, abilities: Abilities) -> dict[Kind, float]:
    """Return what one item of each kind costs by a model, in USD, where that is known."""
    found: dict[Kind, float] = {}
    for kind in abilities.kinds:
        draft = Draft(prompt="any", images=int(kind == "image"), videos=int(kind == "video"), model=name, seed=0)
        with suppress(UsageError):  # such as a key that cannot be used: whoever names it is told
            price = placing.estimate(gallery.context, draft).price
            found |= {} if price is None else {kind: price}
    return found


def _models(gallery: Gallery, form: Form) -> dict[str, str]:
    """The models that can be chosen, each with what it is."""
    found = _offered(gallery)
    if form.from_picture:
        found = {name: each for name, each in found.items() if "image" in each.kinds or each.starts_from != "prompt"}
    rest: dict[tuple[Kind, ...], str] = {
        ("image",): "; videos are camera moves over its pictures",
        ("video",): "; videos only, pictures by others",
    }
    return {
        name: f"{each.label}{rest.get(each.kinds, '')}{_price_note(gallery, name, each)}"
        for name, each in found.items()
    }


def _mails(gallery: Gallery) -> bool:
    """Whether this gallery can send mail."""
    try:
        mail.read_server(gallery.settings, needed_for="mail")
    except UsageError:
        return False
    return True


def _price_note(gallery: Gallery, name: str, abilities: Abilities) -> str:
    if not abilities.paid:
        return ""
    prices = _prices(gallery, name, abilities)
    articles = {"image": "an image", "video": "a video"}
    return f": {', '.join(f'about {spoken_price(price)} {articles[kind]}' for kind, price in prices.items())}"
