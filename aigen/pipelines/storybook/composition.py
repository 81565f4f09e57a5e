"""Where the things of a plan stand, how large they are, and how they move."""

import math
from dataclasses import dataclass

import skia

from aigen.pipelines.storybook import artwork, scenery
from aigen.pipelines.storybook.look import Look, cut, tinted

# More things than these would only be a crowd of dots.
CROWD = 24


@dataclass(frozen=True)
class Actor:
    """A thing of the plan, standing on (`x`, `base`)."""

    image: skia.Image
    x: float
    base: float
    width: float
    height: float
    depth: float
    motion: str
    phase: float
    flip: bool
    shadow: float


def place_actors(look: Look) -> list[Actor]:
    """The things of the plan in their places, those further away first."""
    index = artwork.index()
    skyward = scenery.MOONS | scenery.SUNS
    names = [thing.name for thing in look.plan.objects for _ in range(thing.count) if thing.name not in skyward]
    names = names[:CROWD]
    flying = [name for name in names if _flies(look, name)]
    standing = [name for name in names if not _flies(look, name)]
    actors = []
    for group, airborne in ((standing, False), (flying, True)):
        count = len(group)
        order = list(range(count))
        if look.mirrored:
            order.reverse()
        for place, position in enumerate(order):
            entry = index[group[position]]
            scale = scenery.SCALES.get(group[position]) or scenery.SCALES.get(entry["subgroup"], 1.0)
            x, base, depth, reach = _spot(look, place, count, airborne)
            if standing and flying:  # beside each other, not one before the other
                x += (0.17 if airborne != look.mirrored else -0.17) * look.width / count
                reach *= 0.85
            side = look.unit * reach * scale
            side = min(side, look.height * 0.62, look.width * 0.7)
            if airborne:
                base = max(base, side + look.height * 0.07 + look.bars)
            x = min(max(x, side * 0.5), look.width - side * 0.5)
            actors.append(_actor(look, group[position], x, base, side, depth, airborne, place))
    return sorted(actors, key=lambda actor: actor.base if actor.shadow else -1)


def _flies(look: Look, name: str) -> bool:
    floating = look.setting.ground in ("air", "space", "deep") and look.plan.setting != "planet surface"
    subgroup = artwork.index()[name]["subgroup"]
    if look.setting.ground == "deep":
        return subgroup == "animal-marine" and name not in ("coral", "crab", "spiral-shell", "oyster", "lobster")
    return floating or (name in scenery.FLYING and look.setting.ground != "indoor") or name in ("fireworks", "rainbow")


def _spot(look: Look, place: int, count: int, airborne: bool) -> tuple[float, float, float, float]:
    """Where the n-th of `count` things is: x, base, depth and size before its own scale."""
    jitter = look.random.uniform
    rows = 1 if count <= 3 else 2 if count <= 10 else 3
    in_row = math.ceil(count / rows)
    row, column = divmod(place, in_row)
    here = min(in_row, count - row * in_row)
    lean = (0.0, -0.1, 0.1, -0.05, 0.06)[look.take] if count == 1 else 0.0
    share = (column + 0.5) / here + lean
    x = look.width * (0.1 + 0.8 * share) + jitter(-0.02, 0.02) * look.width
    reach = {1: 0.5, 2: 0.38, 3: 0.29}.get(count, 0.62 / max(3.2, in_row * 0.9))
    nearness = 1.0 if rows == 1 else (row + 1) / rows
    reach *= jitter(0.94, 1.08) * (0.72 + 0.28 * nearness) * (1.0, 0.9, 1.12, 0.96, 1.04)[look.take]
    if airborne:
        top, bottom = 0.22, (0.52 if look.setting.ground not in ("air", "space", "deep") else 0.72)
        level = jitter(top, bottom) if count > 1 else (top + bottom) / 2 + (0.0, -0.05, 0.04, -0.03, 0.02)[look.take]
        return x, look.height * level + look.unit * reach * 0.5, 0.6 + 0.3 * nearness, reach
    ground = look.horizon + (look.height - look.horizon) * (0.3 + 0.42 * nearness)
    if count in (2, 3):
        ground += (look.height - look.horizon) * (0.16 if (column + look.take) % 2 else -0.04)
    return x, min(ground, look.height * 0.93 - look.bars), 0.85 + 0.1 * nearness, reach


def _turned(look: Look, group: str | None, x: float, place: int) -> bool:
    """Whether a picture is drawn mirrored: animals (drawn looking left) look into the scene, other things vary."""
    if group == "animals-nature" and abs(x - look.width / 2) > look.width * 0.1:
        return x < look.width / 2
    return (look.mirrored + place) % 2 == 1


def _actor(
    look: Look, name: str, x: float, base: float, side: float, depth: float, airborne: bool, place: int
) -> Actor:
    picture = cut(name)
    longest = max(picture.width(), picture.height())
    width, height = picture.width() * side / longest, picture.height() * side / longest
    entry = artwork.index()[name]
    afloat = look.setting.ground == "water" and (entry["subgroup"] in scenery.IN_WATER or name in scenery.AFLOAT)
    if look.setting.ground == "deep":
        motion = "swim" if airborne else "still"
    elif airborne:
        motion = "drift"
    elif afloat:
        motion = "float"
    else:
        motion = {"animals-nature": "hop", "travel-places": "still", "people-body": "hop"}.get(entry["group"], "still")
        motion = "sway" if entry["subgroup"] in ("plant-other", "plant-flower") else motion
    return Actor(
        image=tinted(look, name, width, height, 0.0),
        x=x,
        base=base,
        width=width,
        height=height,
        depth=depth,
        motion=motion,
        phase=look.random.uniform(0, math.tau) + place,
        flip=_turned(look, entry["group"], x, place),
        shadow=0.0 if airborne or afloat else 0.5 if not look.dark else 0.7,
    )
