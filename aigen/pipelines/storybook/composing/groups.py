"""Things that belong together: what a relation ties together is arranged as one group, in measures of its own."""

import math
from dataclasses import dataclass, field

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import anatomy, scenery
from aigen.pipelines.storybook.drawing.bodies import has_body
from aigen.pipelines.storybook.drawing.figures import shown_of
from aigen.pipelines.storybook.drawing.look import Look
from aigen.pipelines.storybook.drawing.pictures import cut
from aigen.pipelines.storybook.understanding.plan import Thing

# More things than these would only be a crowd of dots.
CROWD = 48


@dataclass
class Member:
    """A thing within a group: `x` and `base` (0 is the ground, less is higher) in the group's own measure."""

    thing: int
    name: str
    color: str | None
    x: float
    base: float
    width: float
    height: float
    order: float
    flying: bool
    raised: bool = False  # on a bridge
    faces: "Member | None" = None  # beside which it stands
    holder: "Member | None" = None  # on or in which it is, and moves with

    @property
    def top(self) -> float:
        return self.base - self.height


@dataclass
class Group:
    """Things that stand together; one alone in most cases."""

    members: list[Member] = field(default_factory=list)
    flying: bool = False

    def bounds(self) -> tuple[float, float, float, float]:
        return (
            min(member.x - member.width / 2 for member in self.members),
            min(member.top for member in self.members),
            max(member.x + member.width / 2 for member in self.members),
            max(member.base for member in self.members),
        )


def make_groups(look: Look) -> list[Group]:
    objects = look.plan.objects
    drawn = [place for place, thing in enumerate(objects) if not scenery.is_sky(look.plan, thing)]
    target = {}
    for place in drawn:
        relation = objects[place].relation
        named = [other for other in drawn if relation and other != place and objects[other].name == relation["to"]]
        if named:
            target[place] = named[0]
    target |= {place: player for place, player in _played(look, drawn).items() if place not in target}
    target = {place: to for place, to in target.items() if not _circles(place, target)}
    groups: list[Group] = []
    for place in drawn:
        if place in target:
            continue
        thing = objects[place]
        count = _allotted(look, thing)
        if place in target.values():
            group = Group([_member(look, place, thing) for _ in range(count)], _flies(look, thing))
            _side_by_side(group.members, 0.0)
            _attach(look, group, place, target)
            groups.append(group)
        else:
            groups += [Group([_member(look, place, thing)], _flies(look, thing)) for _ in range(count)]
    return groups


def _played(look: Look, drawn: list[int]) -> dict[int, int]:
    """Which instruments are in the hands of whom: of who plays."""
    objects = look.plan.objects
    players = [place for place in drawn if objects[place].action in ("play", "strum", "perform")]
    return {
        place: players[0]
        for place in drawn
        if players
        and objects[place].relation is None
        and place not in players
        and artwork.index()[objects[place].name]["subgroup"] == "musical-instrument"
    }


def _allotted(look: Look, thing: Thing) -> int:
    """How many of a thing are drawn: all, or in a crowd its share."""
    total = sum(other.count for other in look.plan.objects)
    return thing.count if total <= CROWD else max(1, thing.count * CROWD // total)


def _circles(place: int, target: dict[int, int]) -> bool:
    """Whether relations lead from a thing back to itself."""
    seen, at = {place}, place
    while at in target:
        at = target[at]
        if at == place:
            return True
        if at in seen:
            return False
        seen.add(at)
    return False


def _member(look: Look, place: int, thing: Thing) -> Member:
    picture = cut(thing.name, 96)
    entry = artwork.index()[thing.name]
    hearth = 1.8 if thing.name == "fire" and look.setting.ground == "indoor" else 1.0
    scale = hearth * (scenery.SCALES.get(thing.name) or scenery.SCALES.get(entry["subgroup"], 1.0))
    side = scale * scenery.SIZES[thing.size]
    longest = max(picture.width(), picture.height())
    return Member(
        thing=place,
        name=thing.name,
        color=thing.color,
        x=0.0,
        base=0.0,
        width=picture.width() * side / longest,
        height=picture.height() * side / longest * shown_of(look, thing.name, thing.action),
        order=0.0,
        flying=_flies(look, thing),
    )


def _span(members: list[Member], gap: float = 1.08) -> float:
    """How much room things take side by side."""
    return sum(member.width for member in members) * gap


def _side_by_side(members: list[Member], middle: float, gap: float = 1.08) -> None:
    x = middle - _span(members, gap) / 2
    for member in members:
        member.x = x + member.width * gap / 2
        x += member.width * gap


def _attach(look: Look, group: Group, place: int, target: dict[int, int]) -> None:
    """Add to a group what has a relation to one of its things, and what has one to those."""
    anchors = [member for member in group.members if member.thing == place]
    others = [other for other, to in target.items() if to == place]
    by_kind: dict[str, list[Member]] = {}
    for other in others if anchors else []:
        thing = look.plan.objects[other]
        kind = thing.relation["kind"] if thing.relation else "held by"
        members = [_member(look, other, thing) for _ in range(_allotted(look, thing))]
        if kind == "next to":  # on both sides, the first on the one that the take says
            sides = ("left of", "right of") if look.mirrored else ("right of", "left of")
            for side, half in zip(sides, (members[::2], members[1::2]), strict=True):
                by_kind.setdefault(side, []).extend(half)
        else:
            by_kind.setdefault(kind, []).extend(members)
    for kind in _ARRANGE:  # first what makes its anchor larger, last what stands beside
        if some := by_kind.get(kind):
            _ARRANGE[kind](anchors, some, group)
            group.members += some
    for other in others:
        _attach(look, group, other, target)


def _extent(members: list[Member]) -> tuple[float, float, float, float]:
    return Group(members).bounds()


def _shrink(members: list[Member], limit_width: float, limit_height: float) -> None:
    """Make things no larger than they may be where they stand."""
    for member in members:
        factor = min(1.0, limit_width / member.width, limit_height / member.height)
        member.width, member.height = member.width * factor, member.height * factor


def _grow(members: list[Member], least: float) -> None:
    """Make things large enough to hold or shelter others."""
    for member in members:
        factor = max(1.0, least / max(member.width, member.height))
        member.width, member.height = member.width * factor, member.height * factor
    if len(members) > 1:
        left, _, right, _ = _extent(members)
        _side_by_side(members, (left + right) / 2)


def _left_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, *_ = _extent(group.members)
    _side_by_side(members, left - 0.1 - _span(members) / 2)
    _level(anchors, members)


def _right_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    _, _, right, _ = _extent(group.members)
    _side_by_side(members, right + 0.1 + _span(members) / 2)
    _level(anchors, members)


def _level(anchors: list[Member], members: list[Member]) -> None:
    """On the same ground, or at the same height in the air."""
    _, top, _, base = _extent(anchors)
    for member in members:
        member.base = base if not (member.flying and anchors[0].flying) else (top + base) / 2 + member.height / 2
        member.order, member.faces = anchors[0].order + 0.01, anchors[0]


def _on(anchors: list[Member], members: list[Member], group: Group) -> None:
    if worn := [member for member in members if member.name in anatomy.WORN]:
        _wear(anchors, worn)
        members = [member for member in members if member not in worn]
        if not members:
            return
    left, top, right, base = _extent(anchors)
    if anchors[0].name in scenery.FURNITURE:
        _shrink(members, scenery.FURNITURE[anchors[0].name] * (right - left) / len(members), 9.0)
    seat = scenery.SEATS.get(anchors[0].name, 0.14)
    total = sum(member.width for member in members)
    if total > 1.25 * (right - left):  # a larger seat first, and if that is not enough smaller sitters
        _grow(anchors, min(1.8, total / (right - left)) * max(anchors[0].width, anchors[0].height) * 0.8)
        left, top, right, base = _extent(anchors)
        _shrink(members, 1.25 * (right - left) / len(members), (base - top) * 1.8)
    aside = -0.13 * (right - left) if anchors[0].name == "couch-and-lamp" else 0.0  # the lamp stays free
    _side_by_side(members, (left + right) / 2 + aside, 1.0)
    for member in members:
        member.base = top + (base - top) * seat
        member.order, member.flying = anchors[0].order + 0.1, False
        if anchors[0].name in scenery.CROSSED:
            member.raised = True
            continue  # it goes on its own way, over it
        member.holder = _nearest(anchors, member)
        if has_body(member.name) and not has_body(anchors[0].name) and _is_mount(anchors[0].name):
            member.base += member.height * 0.28  # astride, the legs before the flank


def _nearest(anchors: list[Member], member: Member) -> Member:
    return min(anchors, key=lambda anchor: abs(anchor.x - member.x))


def _is_mount(name: str) -> bool:
    return (artwork.index()[name]["subgroup"] or "").startswith(("animal", "transport"))


def _wear(anchors: list[Member], members: list[Member]) -> None:
    """Hats on heads, glasses before eyes, scarves around necks; each head gets one of a kind in turn."""
    for place, member in enumerate(members):
        anchor = anchors[place % len(anchors)]
        if has_body(anchor.name):
            x, eyes, top, across = anatomy.HEAD_ON_BODY
        else:
            x, eyes, top, across = anatomy.HEADS.get(anchor.name, (0.5, 0.3, 0.02, 0.6))
        part, share = anatomy.WORN[member.name]
        aspect = member.height / member.width
        member.width = across * anchor.width * share
        member.height = member.width * aspect
        member.x = anchor.x + (x - 0.5) * anchor.width
        at = {"eyes": eyes, "head": top, "neck": eyes + across * 0.55 * anchor.width / anchor.height}[part]
        middle = anchor.top + at * anchor.height
        # A hat sits a little down on the head, the others are centred.
        member.base = middle + member.height * (0.22 if part == "head" else 0.5)
        member.order, member.holder, member.flying = anchor.order + 0.12, anchor, False


def _above(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, _ = _extent(anchors)
    _side_by_side(members, (left + right) / 2, 1.15)
    for member in members:
        member.base = top - 0.26
        member.order, member.flying = anchors[0].order + 0.05, True
    if members[0].name == "flying-saucer" and not anchors[0].flying:  # whose beam lifts what it shines on
        for member in (*anchors, *members):
            member.base -= 0.35
            member.flying = True


def _under(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, base = _extent(anchors)
    rooted = artwork.index()[anchors[0].name]["subgroup"] in (
        "plant-other",
        "place-building",
        "place-geographic",
        "place-other",
    )
    if rooted and not anchors[0].flying:  # before the trunk
        _grow(anchors, 2.1 * max(member.height for member in members))
        left, top, right, base = _extent(anchors)
        _shrink(members, 9.0, (base - top) * 0.46)
        _side_by_side(members, (left + right) / 2 + (right - left) * 0.12)
        for member in members:
            member.base, member.order = base + 0.05, anchors[0].order + 0.1
        return
    tallest = max(member.height for member in members)
    for member in group.members:  # what is above is lifted
        member.base -= tallest + 0.1
        if member in anchors:
            member.flying = True
    _side_by_side(members, (left + right) / 2)
    for member in members:
        member.order = anchors[0].order - 0.01


def _behind(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, top, right, base = _extent(anchors)
    _grow(members, 0.9 * (base - top))
    side = 1 if len(group.members) % 2 else -1
    span = sum(member.width for member in members) if len(members) == 1 else 0.0
    _side_by_side(members, (left + right) / 2 + side * ((right - left) * 0.4 + span * 0.24))
    for place, member in enumerate(members):
        member.base, member.order = base - 0.16 - 0.02 * place, anchors[0].order - 0.1


def _in_front_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    _grow(anchors, 1.35 * max(member.height for member in members))
    left, _, right, base = _extent(anchors)
    side = 1 if len(group.members) % 2 else -1
    span = sum(member.width for member in members) if len(members) == 1 else 0.0
    _side_by_side(members, (left + right) / 2 + side * ((right - left) * 0.22 + span * 0.34))
    for member in members:
        member.base, member.order = base + 0.12, anchors[0].order + 0.1
        member.flying = False


def _inside(anchors: list[Member], members: list[Member], group: Group) -> None:
    if anchors[0].name in scenery.OPEN_ABOVE:
        _look_out(anchors, members)
        return
    _grow(anchors, 1.9 * max(max(member.width, member.height) for member in members) * math.sqrt(len(members)) * 0.8)
    left, top, right, base = _extent(anchors)
    columns = math.ceil(math.sqrt(len(members) * 1.5))
    rows = math.ceil(len(members) / columns)
    _shrink(members, (right - left) * 0.8 / columns, (base - top) * 0.72 / rows)
    for place, member in enumerate(members):
        row, column = divmod(place, columns)
        here = min(columns, len(members) - row * columns)
        member.x = (left + right) / 2 + (column - (here - 1) / 2) * (right - left) * 0.8 / columns
        member.base = top + (base - top) * (0.16 + 0.72 * (row + 1) / rows)
        member.order, member.flying = anchors[0].order + 0.1 + 0.001 * row, False
        member.holder = _nearest(anchors, member)


def _look_out(anchors: list[Member], members: list[Member]) -> None:
    """Out of a basket: behind its rim, in rows where there are many; of four, so that a handle hides none."""
    rim, across = scenery.OPEN_ABOVE[anchors[0].name]
    _grow(anchors, 1.5 * max(max(member.width, member.height) for member in members))
    left, top, right, base = _extent(anchors)
    columns = min(len(members), 4 if len(members) <= 12 else 8)
    rows = math.ceil(len(members) / columns)
    _shrink(members, (right - left) * across / columns * 1.15, (base - top) * 0.6 / rows)
    for place, member in enumerate(members):
        row, column = divmod(place, columns)
        here = min(columns, len(members) - row * columns)
        member.x = (left + right) / 2 + (column - (here - 1) / 2) * (right - left) * across / columns
        member.base = (
            top
            + (base - top) * rim
            + member.height * (0.28 if rows > 1 else 0.14)
            - member.height * 0.62 * (rows - 1 - row)
        )
        member.order, member.flying = anchors[0].order - 0.1 + 0.01 * row, False
        member.holder = _nearest(anchors, member)


def _hold(anchors: list[Member], members: list[Member], group: Group) -> None:
    """Before the body, where hands are."""
    for place, member in enumerate(members):
        anchor = anchors[place % len(anchors)]
        _shrink([member], anchor.width * 0.8, anchor.height * 0.62)
        member.x = anchor.x - anchor.width * 0.06
        member.base = anchor.base - anchor.height * 0.04
        member.order, member.holder, member.flying = anchor.order + 0.11, anchor, anchor.flying


_ARRANGE = {
    "held by": _hold,
    "inside": _inside,
    "on": _on,
    "under": _under,
    "in front of": _in_front_of,
    "behind": _behind,
    "above": _above,
    "left of": _left_of,
    "right of": _right_of,
}


def _flies(look: Look, thing: Thing) -> bool:
    name = thing.name
    floating = look.setting.ground in ("air", "space", "deep") and look.plan.setting != "planet surface"
    subgroup = artwork.index()[name]["subgroup"]
    if look.setting.ground == "deep":
        return subgroup == "animal-marine" and name not in ("coral", "crab", "spiral-shell", "oyster", "lobster")
    if thing.action in scenery.FLYING_ACTIONS and look.setting.ground != "water":
        return True
    if thing.relation and thing.relation["kind"] == "above":
        return True
    if name in scenery.MOONS | scenery.SUNS:
        return True
    if thing.relation and thing.relation["kind"] in ("on", "inside", "under"):
        return floating
    return floating or (name in scenery.FLYING and look.setting.ground != "indoor") or name in ("fireworks", "rainbow")
