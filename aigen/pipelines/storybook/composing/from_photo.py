"""Where things stand that were seen in a photograph: at their places in it, about as large, upon one ground.

The photograph fills the frame, as when it is drawn itself. What would be cut off by that moves in, who hides another
gets smaller, and the horizon is where all feet can stand.
"""

import math
from dataclasses import dataclass, replace

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.composing.places import Actor, place_actors, shares_seen, turned
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.figures import make_figure
from aigen.pipelines.storybook.drawing.look import Look
from aigen.pipelines.storybook.drawing.pictures import cut
from aigen.pipelines.storybook.understanding.from_photo import NEAR_BORDER, PhotoPlan, kind_of
from aigen.types.seen import common_area

# How much of a photograph that does not fit is cut off above, of what is cut off in all: heads are above.
ABOVE = 0.3
# Things are at least this large, in shares of the scene's unit, and at most this much of the frame.
LEAST, MOST = 0.045, 0.9
# How much of each must be seen, and how often all are made smaller for that.
SEEN, ATTEMPTS = 0.42, 6
# What hangs or is upon a post where it is not on the ground.
ON_POSTS = frozenset(["vertical-traffic-light", "horizontal-traffic-light", "stop-sign"])
SMALL = 0.05
# Of pictures that show more than detectors see: what of them that is (left, top, right and bottom in shares).
SHOWN = {"couch-and-lamp": (0.0, 0.5, 0.66, 1.0)}
# What people carry is at most so high, beside them, and hangs between these heights.
CARRIED, HANGING = 0.3, (0.5, 0.28)


@dataclass(frozen=True)
class Spot:
    """A thing's place in the frame, in pixels.

    `holder` is the spot that it is on, `cut` where the photograph cuts it.
    """

    thing: int
    left: float
    top: float
    right: float
    bottom: float
    cut: frozenset[str]
    holder: int | None = None

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def make_spots(look: Look, photo_plan: PhotoPlan) -> list[Spot]:
    """The places of a photograph's things in the frame, within a style's bars or margin."""
    aside = look.unit * {"watercolour": 0.05, "poster": 0.035}.get(look.style, 0.0)
    wide, tall = look.width - 2 * aside, look.height - 2 * max(aside, look.bars)
    photo_wide, photo_tall = max(wide, tall * photo_plan.shape), max(tall, wide / photo_plan.shape)
    spots = []
    for place in photo_plan.places:
        left, top, right, bottom = place.box
        near = {"left": left, "top": top, "right": 1 - right, "bottom": 1 - bottom}
        sides = frozenset(side for side, far in near.items() if far < NEAR_BORDER)
        across, down = right - left, bottom - top
        half = across * photo_wide / 2
        x = look.width / 2 + ((left + right) / 2 - 0.5) * _narrowed(photo_plan, photo_wide, wide)
        base = max(aside, look.bars) - (photo_tall - tall) * ABOVE + bottom * photo_tall
        lowest = look.height - max(aside, look.bars)  # what is cut there stands out of the frame, but not most of it
        base = min(base, lowest + (0.4 * down * photo_tall if "bottom" in sides else -0.035 * look.height))
        base = max(base, max(aside, look.bars) + 0.6 * down * photo_tall)
        spots.append(Spot(place.thing, x - half, base - down * photo_tall, x + half, base, sides))
    return [replace(spot, holder=_holder(look, spot, spots)) for spot in spots]


def _narrowed(photo_plan: PhotoPlan, photo: float, frame: float) -> float:
    """How wide the photograph may be for all its things to have their middles in the frame; their sizes stay."""
    furthest = max(abs((place.box[0] + place.box[2]) / 2 - 0.5) for place in photo_plan.places)
    return min(photo, 0.43 * frame / furthest) if furthest * photo > 0.43 * frame else photo


def _holder(look: Look, spot: Spot, spots: list[Spot]) -> int | None:
    """The spot of what a thing is on, as the plan says: the nearest of those."""
    relation = look.plan.objects[spot.thing].relation
    if not relation or relation["kind"] != "on":
        return None
    names = [look.plan.objects[other.thing].name for other in spots]
    near = [at for at, name in enumerate(names) if name == relation["to"] and spots[at] is not spot]
    return min(near, key=lambda at: abs(spots[at].middle - spot.middle), default=None)


def seen_from(look: Look, spots: list[Spot]) -> Look:
    """The look with its horizon above all feet, and nothing growing before who stands in front."""
    standing = [spot.bottom for spot in spots if _where(look, spot, 0.0) in ("ground", "water")]
    horizon = look.horizon
    if horizon < look.height and standing:
        highest = min(standing) - look.height * 0.035
        horizon = float(round(min(horizon, max(highest, look.height * 0.3))))
    names = {thing.name for thing in look.plan.objects}
    setting = replace(look.setting, scatter=tuple(name for name in look.setting.scatter if name not in names))
    if any(spot.bottom > look.height * 0.85 for spot in spots):
        setting = replace(setting, front="")
    return replace(look, horizon=horizon, setting=setting)


def place_seen(look: Look, spots: list[Spot]) -> list[Actor]:
    """The things of a photograph in their places, and what the words add in what room is left; the furthest first."""
    state = look.random.getstate()
    actors: list[Actor] = []
    for attempt in range(ATTEMPTS):
        look.random.setstate(state)  # so that only the size differs
        actors = _place_all(look, spots, 0.88**attempt)
        if all(share >= SEEN for share in shares_seen(actors, look)):
            return actors
    return _stepped_aside(look, actors)


def _stepped_aside(look: Look, actors: list[Actor]) -> list[Actor]:
    """In a crowd: who is still hidden goes to the nearest gap between those in front."""
    for at, share in enumerate(shares_seen(actors, look)):
        actor = actors[at]
        if share >= SEEN or actor.carried:
            continue
        steps = [actor.x + way * actor.width * step / 2 for step in range(12) for way in (1, -1)]
        inside = [x for x in steps if actor.width * 0.5 < x < look.width - actor.width * 0.5] or [actor.x]
        x = min(inside, key=lambda x: max(0.35, _hidden(actors, at, x)))
        held = {place for place, other in enumerate(actors) if other.carried and other.pivot == actor.pivot}
        for place in held | {at}:
            other = actors[place]
            actors[place] = replace(other, x=other.x + x - actor.x, pivot=(x, other.pivot[1]))
    return actors


def _hidden(actors: list[Actor], at: int, x: float) -> float:
    """How much of an actor's box would lie behind those of others at another place."""
    own = actors[at]
    _, top, _, bottom = own.box
    box = x - own.width / 2, top, x + own.width / 2, bottom
    return sum(common_area(box, other.box) for other in actors[at + 1 :]) / (own.width * own.height)


def _place_all(look: Look, spots: list[Spot], scale: float) -> list[Actor]:
    sized = {at: _sized(look, spot, scale) for at, spot in enumerate(spots)}
    sized = _apart(look, spots, sized)
    placed: dict[int, Actor] = {}
    for at in sorted(sized, key=lambda at: (spots[at].holder is not None, at)):
        holder = spots[at].holder
        placed[at] = _actor(look, spots[at], sized[at], placed.get(holder) if holder is not None else None)
    order = {at: _order(placed, spots, at) for at in placed}
    actors = [(order[at], placed[at]) for at in placed]
    first = len({spot.thing for spot in spots})
    actors += _added(look, placed, first)
    return [actor for _, actor in sorted(actors, key=lambda entry: entry[0])]


def _order(placed: dict[int, Actor], spots: list[Spot], at: int) -> tuple[float, int]:
    """The further away the sooner; what is on another right after it."""
    holder = spots[at].holder
    if holder is not None and spots[holder].holder is None:
        return placed[holder].base, 1
    return (-1.0 if placed[at].where == "air" else placed[at].base), 0


@dataclass(frozen=True)
class _Sized:
    """How large a thing is drawn, and where its foot is."""

    x: float
    base: float
    width: float
    height: float


def _sized(look: Look, spot: Spot, scale: float) -> _Sized:
    """About as large as its box, in its picture's own proportions; what the border cuts goes on beyond it."""
    name = look.plan.objects[spot.thing].name
    picture = cut(name, 96)
    shape = picture.width() / picture.height()
    left, top, right, bottom = SHOWN.get(name, (0.0, 0.0, 1.0, 1.0))
    inner = shape * (right - left) / (bottom - top)
    low, high = "bottom" in spot.cut, "top" in spot.cut
    on = low and not high and inner < 0.6  # a portrait: it goes on below
    filling = spot.width * spot.height > 0.6 * look.width * look.height and not on
    beyond = len(spot.cut & {"left", "right"}) == 1
    tall = math.sqrt(spot.width * spot.height / inner)
    tall = min(tall, spot.height * (1.7 if low != high else 1.08), spot.width * (1.6 if beyond else 1.25) / inner)
    height = tall / (bottom - top)
    height = max(height, look.unit * LEAST / max(1.0, shape), look.unit * LEAST * 0.7)
    most = (1.5 if on else 0.78 if filling else MOST) * look.height - 2 * look.bars
    height = min(height, most, look.width * MOST / shape) * scale * (1 + (look.take.reach - 1) * 0.12)
    width = height * shape
    x, base = spot.middle, spot.bottom
    if filling:
        base = min(base, look.height * 0.94 - look.bars)
    elif low and not high and height > spot.height:
        base = spot.top + height
    elif low:
        base = min(base, look.height - look.bars + 0.2 * height)
    elif height < spot.height and not _stands(look, name):  # in the air in the middle of its box
        base = spot.top + (spot.height + height) / 2
    if not high:  # heads stay in the frame
        base = max(base, height + look.height * 0.03 + look.bars)
    if beyond and not filling and "left" in spot.cut:
        x = spot.right - width / 2
    elif beyond and not filling:
        x = spot.left + width / 2
    x += (0.5 - (left + right) / 2) * width * (-1 if turned(look, name, x, spot.thing) else 1)
    edge = min(0.3 * width, look.width * 0.02)
    x = max(x, width * (0.05 if "left" in spot.cut else 0.5) + (0 if "left" in spot.cut else edge))
    x = min(x, look.width - width * (0.05 if "right" in spot.cut else 0.5) - (0 if "right" in spot.cut else edge))
    return _Sized(x, base, width, height)


def _stands(look: Look, name: str) -> bool:
    return name not in scenery.FLYING and look.setting.ground not in ("air", "space", "deep")


def _apart(look: Look, spots: list[Spot], sized: dict[int, _Sized]) -> dict[int, _Sized]:
    """Those of one kind that hide each other move apart, a little at a time, and never far."""
    home = {at: own.x for at, own in sized.items()}
    for _ in range(24):
        for one in sized:
            for other in sized:
                if other <= one or spots[one].holder is not None or spots[other].holder is not None:
                    continue
                first, second = sized[one], sized[other]
                near = (first.width + second.width) * (0.3 if spots[one].thing == spots[other].thing else 0.18)
                apart = second.x - first.x
                alike = min(first.height, second.height) > 0.5 * max(first.height, second.height)
                level = abs(first.base - second.base) < 0.35 * min(first.height, second.height)
                if alike and level and abs(apart) < near:
                    push = (near - abs(apart)) * 0.25 * (1 if apart >= 0 else -1)
                    for at, own, way in ((one, first, -push), (other, second, push)):
                        limit = 1.4 * spots[at].width
                        x = min(max(own.x + way, home[at] - limit), home[at] + limit)
                        x = min(max(x, own.width * 0.4), look.width - own.width * 0.4)
                        sized[at] = replace(own, x=x)
    return sized


def _where(look: Look, spot: Spot, height: float) -> str:
    """Where a thing is, as for `Actor.where`; "deck" is what neither stands on the ground nor flies."""
    thing = look.plan.objects[spot.thing]
    ground, subgroup = look.setting.ground, artwork.index()[thing.name]["subgroup"]
    if ground == "deep":
        return "deep"
    if ground in ("air", "space") and look.plan.setting != "planet surface":
        return "air"
    low = (look.horizon if height else look.height * 0.62) > spot.bottom
    flies = thing.name in scenery.FLYING or thing.action in scenery.FLYING_ACTIONS
    light = kind_of(thing.name) in ("bird", "ball") or thing.name == "flying-disc"
    if (flies and ground != "indoor") or (light and low):
        return "air"
    if ground == "water" and (subgroup in scenery.IN_WATER or thing.name in scenery.AFLOAT):
        return "water"
    if spot.holder is not None or thing.name in ON_POSTS:
        return "deck"
    entry = artwork.index()[thing.name]
    loose = entry["group"] not in ("people-body", "animals-nature") and thing.name not in scenery.LARGE
    small = spot.width * spot.height < SMALL * look.width * look.height
    return "deck" if ground == "indoor" and loose and small and low and look.plan.setting == "room" else "ground"


def _actor(look: Look, spot: Spot, sized: _Sized, holder: Actor | None) -> Actor:
    thing = look.plan.objects[spot.thing]
    where = _where(look, spot, sized.height)
    jitter = look.random.uniform(-0.008, 0.008)
    x, base = sized.x + jitter * look.width, sized.base
    if where == "ground":
        least = (look.footing if look.has_footing else look.horizon) + look.height * 0.02
        base = max(base, min(least, look.height * 0.9))
    elif where == "water":
        base = max(base, look.horizon + look.height * 0.03)
    elif where == "air":
        base = max(base, sized.height + look.height * 0.02 + look.bars)
    if holder:
        sized, x, base = _held(sized, x, base, holder)
    depth = 0.85 + 0.1 * min(1.0, max(0.0, base / look.height)) if where != "air" else 0.75
    flip = turned(look, thing.name, x, spot.thing)
    figure = make_figure(
        look,
        thing.name,
        max(1.0, sized.width),
        max(1.0, sized.height),
        thing.color,
        wings=where == "air",
        action=thing.action,
    )
    actor = Actor(
        thing=spot.thing,
        name=thing.name,
        figure=figure,
        x=x,
        base=base,
        depth=depth,
        where=where,
        mover=thing.name,
        action=thing.action,
        doing=thing.action,
        phase=look.random.uniform(0, math.tau) + spot.thing,
        flip=flip,
        pivot=(x, base),
        measure=sized.height,
        carried=False,
        free=False,
    )
    return _carried(actor, holder) if holder else actor


def _carried(actor: Actor, holder: Actor) -> Actor:
    """An actor that moves as what it is on."""
    return replace(
        actor,
        depth=holder.depth,
        where=holder.where,
        mover=holder.mover,
        action=holder.action,
        phase=holder.phase,
        flip=holder.flip,
        pivot=holder.pivot,
        measure=holder.measure,
        carried=True,
    )


def _held(sized: _Sized, x: float, base: float, holder: Actor) -> tuple[_Sized, float, float]:
    """As near to what it is on as in the photograph: on its seat where it has one, at the hands of who carries it."""
    left, right, lowest, highest = -0.4, 0.4, 0.02, 0.9
    if holder.name in scenery.SEATS:
        lowest = highest = 1 - scenery.SEATS[holder.name]
        left, _, right, _ = SHOWN.get(holder.name, (0.1, 0.0, 0.9, 1.0))
        left, right = (0.5 - right, 0.5 - left) if holder.flip else (left - 0.5, right - 0.5)
        inside = min(0.5 * sized.width / holder.width, (right - left) / 2)
        left, right = left + inside, right - inside
    elif kind_of(holder.name) == "person":
        share = min(1.0, CARRIED * holder.height / sized.height)
        sized = replace(sized, width=sized.width * share, height=sized.height * share)
        highest, lowest = HANGING
    x = min(max(x, holder.x + holder.width * left), holder.x + holder.width * right)
    return sized, x, min(max(base, holder.base - holder.height * highest), holder.base - holder.height * lowest)


def _added(look: Look, placed: dict[int, Actor], first: int) -> list[tuple[tuple[float, int], Actor]]:
    """What only the words name, composed in the broadest room that is left between the others."""
    things = look.plan.objects[first:]
    if not things:
        return []
    taken = sorted((actor.x - actor.width / 2, actor.x + actor.width / 2) for actor in placed.values())
    gaps, end = [], 0.0
    for left, right in [*taken, (look.width, look.width)]:
        gaps.append((left - end, end))
        end = max(end, right)
    wide, left = max(gaps)
    unit, crowded = look.unit * 0.8, wide < 0.3 * look.width
    if crowded:  # no room between them: small, and before all
        wide, left, unit = look.width * 0.7, look.width * 0.15, look.unit * 0.5
    part = replace(look, plan=replace(look.plan, objects=things), width=wide, unit=min(unit, wide * 1.6))
    added = [
        replace(actor, thing=actor.thing + first, x=actor.x + left, pivot=(actor.pivot[0] + left, actor.pivot[1]))
        for actor in place_actors(part)
    ]
    if not crowded:
        return [((-1.0 if actor.where == "air" else actor.base, 0), actor) for actor in added]
    lifted = [_lifted(look, actor) if actor.where == "air" and not actor.carried else actor for actor in added]
    return [((look.height if actor.where == "air" else actor.base, 0), actor) for actor in lifted]


def _lifted(look: Look, actor: Actor) -> Actor:
    """As high as it goes."""
    base = actor.height + look.height * 0.03 + look.bars
    return replace(actor, base=base, pivot=(actor.pivot[0], base))
