"""Score what `storybook` understands and draws against benchmarks/prompts.jsonl: `make score`.

Each thing that a prompt asks for counts once under its kind: objects (planned, and drawn for the most part inside the
picture), counts (boxes), colours, relations (where the boxes stand), setting, time, weather, absent; more than two
unasked things count as a miss each. Every prompt is drawn in all five takes. With --verbose every miss is told; another
file of prompts may be named. Ends with an error below the wanted score.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from aigen.pipelines.storybook import Storybook
from aigen.types.request import Size

PROMPTS = Path(__file__).parent / "prompts.jsonl"
SIZE = Size(512, 512)
OVERALL, EACH = 0.95, 0.9
Box = list[float]


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def stands(kind: str, box: Box, other: Box) -> bool:
    """Whether two boxes stand to each other as a relation says."""
    (x, y), (other_x, other_y) = middle(box), middle(other)
    width, height = other[2] - other[0], other[3] - other[1]
    overlap = min(box[2], other[2]) - max(box[0], other[0])
    match kind:
        case "left of":
            return x < other_x and box[2] <= other_x + width * 0.25
        case "right of":
            return x > other_x and box[0] >= other_x - width * 0.25
        case "above":
            return y < other_y and box[3] <= other_y
        case "under":
            return y > other_y and box[1] >= other[1]
        case "on":
            return overlap > 0 and y < other_y and abs(box[3] - other[1]) <= max(height, box[3] - box[1]) * 0.6
        case "behind" | "in front of":
            near, far = (other, box) if kind == "behind" else (box, other)
            return overlap > 0 and near[3] >= far[3] - 0.02
        case "next to":
            gap = max(box[0], other[0]) - min(box[2], other[2])
            return gap < 0.25
        case "inside":
            return other[0] - 0.02 <= x <= other[2] + 0.02 and other[1] - 0.05 <= y <= other[3] + 0.02
    return False


def matches(name: str, choices: list[str]) -> bool:
    plain = name.replace("-", " ")
    return any(
        plain == choice or plain in (f"{choice}s", f"red {choice}") for choice in (c.replace("-", " ") for c in choices)
    )


def score(prompt: str, expect: dict[str, Any], scene: dict[str, Any]) -> list[tuple[str, bool, str]]:
    """What was asked for: its kind, whether it is there, and what it was."""
    found: list[tuple[str, bool, str]] = []
    objects = scene["objects"]
    used: list[int] = []
    chosen: dict[int, dict[str, Any]] = {}
    for wanted_at, wanted in enumerate(expect.get("objects", [])):
        fits = [at for at, thing in enumerate(objects) if at not in used and matches(thing["name"], wanted["any"])]
        same = [at for at in fits if objects[at]["color"] == wanted.get("color")]
        drawn = (same or fits)[:1]
        used += drawn
        thing = objects[drawn[0]] if drawn else None
        found.append(("objects", bool(thing and thing["boxes"]), str(wanted["any"][0])))
        if thing:
            chosen[wanted_at] = thing
        if "count" in wanted:
            boxes = len(thing["boxes"]) if thing else 0
            found.append(
                (
                    "counts",
                    bool(thing) and boxes == wanted["count"] == thing["count"],
                    f"{wanted['count']} {wanted['any'][0]}, drawn {boxes}",
                )
            )  # type: ignore[index]
        if "color" in wanted:
            found.append(
                ("colours", bool(thing) and thing["color"] == wanted["color"], f"{wanted['color']} {wanted['any'][0]}")
            )  # type: ignore[index]
    for wanted_at, wanted in enumerate(expect.get("objects", [])):
        if "relation" not in wanted:
            continue
        kind, to = wanted["relation"]["kind"], wanted["relation"]["to"]
        thing = chosen.get(wanted_at)
        said = (thing or {}).get("relation") or {}
        right = said.get("kind") == kind and matches(str(said.get("to", "")), to)
        targets = [other for other in objects if matches(other["name"], to) and other is not thing]
        if thing and targets and targets[0]["boxes"]:
            right = right and any(stands(kind, box, other) for box in thing["boxes"] for other in targets[0]["boxes"])
        found.append(("relations", bool(thing) and right, f"{wanted['any'][0]} {kind} {to[0]}: {said}"))
    unasked = [thing["name"] for at, thing in enumerate(objects) if at not in used]
    found += [("objects", False, f"unasked {name}") for name in unasked[2:]]
    for kind in ("setting", "time", "weather"):
        if kind in expect and "any" not in expect[kind]:
            found.append((kind, scene[kind] in expect[kind], f"{expect[kind]}, planned {scene[kind]}"))
    for name in expect.get("absent", []):
        found.append(("absent", not any(matches(thing["name"], [name]) for thing in objects), name))
    return [(kind, right, f"{prompt!r}: {text}") for kind, right, text in found]


def main(path: Path, verbose: bool) -> None:
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    pipeline = Storybook()
    for line in path.read_text().splitlines():
        case = json.loads(line)
        for number in (1, 2, 3, 4, 5):
            scene = pipeline.compose(case["prompt"], number, 7 + number, SIZE)
            for kind, there, text in score(case["prompt"], case["expect"], scene):
                asked[kind] += 1
                right[kind] += there
                if verbose and not there:
                    print(f"{kind:10} {number} {text}")
    for kind in asked:
        print(f"{kind:10} {right[kind] / asked[kind]:.3f}  ({right[kind]} of {asked[kind]})")
    overall = right.total() / asked.total()
    print(f"{'overall':10} {overall:.3f}")
    if overall < OVERALL or any(right[kind] / asked[kind] < EACH for kind in asked):
        sys.exit(f"wanted: {OVERALL} overall, {EACH} of each kind")


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    main(Path(names[0]) if names else PROMPTS, "--verbose" in sys.argv)
