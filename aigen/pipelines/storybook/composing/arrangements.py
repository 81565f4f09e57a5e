"""Where each relation puts things: on, under, beside, in, in the hands of; in measures of a group of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing import anatomy, scenery
from aigen.pipelines.storybook.drawing.bodies import has_body
from aigen.pipelines.storybook.understanding.vocabulary import tables


@dataclass(eq=False)
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
    shown: float = 1.0  # of its picture's height
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


def _span(members: list[Member], gap: float = 1.08) -> float:
    """How much room things take side by side."""
    return sum(member.width for member in members) * gap


def side_by_side(members: list[Member], middle: float, gap: float = 1.08) -> None:
    x = middle - _span(members, gap) / 2
    for member in members:
        member.x = x + member.width * gap / 2
        x += member.width * gap


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
        side_by_side(members, (left + right) / 2)


def _left_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    left, *_ = _extent(group.members)
    side_by_side(members, left - 0.1 - _span(members) / 2)
    _level(anchors, members)


def _right_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    _, _, right, _ = _extent(group.members)
    side_by_side(members, right + 0.1 + _span(members) / 2)
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
    side_by_side(members, (left + right) / 2 + aside, 1.0)
    for member in members:
        member.base = top + (base - top) * seat
        member.order, member.flying = anchors[0].order + 0.1, False
        if anchors[0].name in tables.CROSSED:
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
    side_by_side(members, (left + right) / 2, 1.15)
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
        side_by_side(members, (left + right) / 2 + (right - left) * 0.12)
        for member in members:
            member.base, member.order = base + 0.05, anchors[0].order + 0.1
        return
    tallest = max(member.height for member in members)
    for member in group.members:  # what is above is lifted
        member.base -= tallest + 0.1
        if member in anchors:
            member.flying = True
    side_by_side(members, (left + right) / 2)
    for member in members:
        member.order = anchors[0].order - 0.01


def _to_one_side(anchors: list[Member], members: list[Member], group: Group, far: float, own: float) -> None:
    """Off the anchors' middle, by shares of their width and, of a single thing, of its own."""
    left, _, right, _ = _extent(anchors)
    side = 1 if len(group.members) % 2 else -1
    span = members[0].width if len(members) == 1 else 0.0
    side_by_side(members, (left + right) / 2 + side * ((right - left) * far + span * own))


def _behind(anchors: list[Member], members: list[Member], group: Group) -> None:
    _, top, _, base = _extent(anchors)
    _grow(members, 0.9 * (base - top))
    _to_one_side(anchors, members, group, 0.4, 0.24)
    for place, member in enumerate(members):
        member.base, member.order = base - 0.16 - 0.02 * place, anchors[0].order - 0.1


def _in_front_of(anchors: list[Member], members: list[Member], group: Group) -> None:
    _grow(anchors, 1.35 * max(member.height for member in members))
    *_, base = _extent(anchors)
    _to_one_side(anchors, members, group, 0.22, 0.34)
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
    """Out of a basket: behind its rim, in rows where there are many (up to twelve:
    of four, so that a handle hides none).
    """
    rim, across = scenery.OPEN_ABOVE[anchors[0].name]
    _grow(anchors, 1.5 * max(max(member.width, member.height) for member in members))
    left, top, right, base = _extent(anchors)
    columns = min(len(members), 4 if len(members) <= 12 else 8)
    rows = math.ceil(len(members) / columns)
    _shrink(members, (right - left) * across / columns * 1.5, (base - top) * 0.72 / rows)
    for place, member in enumerate(members):
        row, column = divmod(place, columns)
        here = min(columns, len(members) - row * columns)
        member.x = (left + right) / 2 + (column - (here - 1) / 2) * (right - left) * across / columns
        member.base = (
            top
            + (base - top) * rim
            + member.height * (0.28 if rows > 1 else 0.14)
            - member.height * 0.52 * (rows - 1 - row)
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


ARRANGE: dict[str, Callable[[list[Member], list[Member], Group], None]] = {
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
